"""What the S3 server is asked, and what its errors mean in words."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError, ProfileNotFound
except ImportError:
    raise SystemExit("Error: boto3 is not installed; pip install boto3, or mount the bucket with FUSE") from None

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


class SyncError(Exception):
    """One sentence that says what to do."""


@dataclass(frozen=True)
class Item:
    """One file of a data set in its bucket."""

    key: str
    name: str  # relative to the data set's folder
    size: int
    etag: str


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


def listed(s3: Any, bucket: str, prefix: str) -> tuple[list[Item], list[str]]:
    """The files under the prefix, and the keys that no file inside a folder can be named after."""
    items, unsafe = [], []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            key = str(entry["Key"])
            name = key[len(prefix) :]
            if key.endswith("/") or not name:
                continue  # a folder, as consoles make them
            if safe(name):
                items.append(Item(key, name, int(entry["Size"]), str(entry["ETag"]).strip('"')))
            else:
                unsafe.append(key)
    return items, unsafe


def safe(name: str) -> bool:
    """Whether it is a path that stays inside the folder that it is taken in."""
    parts = name.split("/")
    return "\0" not in name and all(part not in ("", ".", "..") and len(os.fsencode(part)) <= 255 for part in parts)


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
