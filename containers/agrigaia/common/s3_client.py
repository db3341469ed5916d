"""What the S3 server is asked, and what its errors mean in words."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError, ProfileNotFound
except ImportError:
    raise SystemExit("Error: boto3 is not installed; pip install boto3, or mount the bucket with FUSE") from None

from s3_fetch import SyncError

PROFILE = "dataset"
WORDS = 300  # characters of what the server says
REASONS = {
    "NoSuchBucket": "bucket '{bucket}' is not on {host}; check S3_BUCKET_NAME",
    "AccessDenied": "{host} does not let these credentials read bucket '{bucket}'; "
    "check S3_BUCKET_NAME and the rights of the user",
    "PreconditionFailed": "a file of bucket '{bucket}' changed while it was fetched; start the container again",
    "NoSuchKey": "a file of bucket '{bucket}' was removed while it was fetched; start the container again",
}
EXPIRED = ("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired")
REFUSED = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidClientTokenId", "InvalidTokenId", "InvalidToken")
CODES = {"403": "AccessDenied", "404": "NoSuchBucket", "412": "PreconditionFailed"}  # of answers without a body


def client(host: str) -> Any:
    # Parts of files are fetched, and files are checked as a whole. Versions before 1.36 do not know this, or need it.
    os.environ.setdefault("AWS_RESPONSE_CHECKSUM_VALIDATION", "when_required")
    session = boto3.Session(profile_name=PROFILE)
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        retries={"mode": "standard", "max_attempts": 5},
        connect_timeout=10,
        read_timeout=60,
        max_pool_connections=32,
    )
    region = os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    return session.client("s3", endpoint_url=host, region_name=region, config=config)


@contextmanager
def told(host: str, bucket: str) -> Iterator[None]:
    """Make errors of the server, the way to it and the disk into sentences."""
    try:
        yield
    except ClientError as error:
        raise SyncError(reason(error, host, bucket)) from None
    except ProfileNotFound:
        raise SyncError(f"~/.aws/credentials has no profile '{PROFILE}'; run mount-s3.sh, which writes it") from None
    except (ConnectionError, HTTPClientError) as error:
        raise SyncError(f"S3 server {host} does not answer ({_line(error)}); check S3_HOST and the network") from None
    except (BotoCoreError, ValueError) as error:
        raise SyncError(f"S3 server {host} cannot be asked ({_line(error)}); check S3_HOST") from None
    except OSError as error:
        place = error.filename2 or error.filename or "a file of the data set"
        raise SyncError(f"{place} cannot be written ({error.strerror}); check the place and whose it is") from None


def reason(error: Any, host: str, bucket: str) -> str:
    said = error.response.get("Error", {})
    code = CODES.get(str(said.get("Code")), str(said.get("Code")))
    if code in EXPIRED:
        return f"the credentials for {host} have expired; start the training anew from the platform"
    if code in REFUSED:
        return f"{host} does not know these credentials ({code}); start the training anew from the platform"
    words = REASONS.get(code, "{host} refused to give bucket '{bucket}' ({code}: {message})")
    return words.format(host=host, bucket=bucket, code=code, message=_line(said.get("Message", "")))


def _line(error: object) -> str:
    return " ".join(str(error).split())[:WORDS]
