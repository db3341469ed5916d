"""Files of a bucket, fetched: several at once, each whole or not at all, and none of them twice.

Credentials are those that boto3 finds (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, ~/.aws), or a session
that is given. They are neither kept nor shown.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

from containers.agrigaia.common.s3_fetch import Copies, Item, SyncError, fetch_all, listed
from containers.kit.errors import WORDS, UserError, one_line
from containers.kit.errors import listed as few
from containers.kit.progress import bar
from workflow.scripts.remote.s3_place import Place

AT_ONCE = 16  # files
CODES = {"403": "AccessDenied", "404": "NoSuchBucket", "412": "PreconditionFailed"}  # of answers without a body
REASONS = {
    "NoSuchBucket": "{key}.bucket '{bucket}' is not on {host}; correct it",
    "AccessDenied": "{host} does not let {who} read bucket '{bucket}'; check {key}.bucket and the rights of the user",
    "PreconditionFailed": "a file of bucket '{bucket}' changed while it was fetched; fetch again",
    "NoSuchKey": "a file of bucket '{bucket}' was removed while it was fetched; fetch again",
}
EXPIRED = ("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired")
UNKNOWN = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidClientTokenId", "InvalidTokenId", "InvalidToken")
ELSEWHERE = ("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "301")


def client(place: Place, session: Any = None) -> Any:
    session = session or boto3.Session()
    if not place.anonymous and session.get_credentials() is None:
        token = f"or {place.token}, " if place.token else ""
        raise UserError(
            f"there are no credentials for {place.name}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
            f"AWS_PROFILE, {token}or {place.key}.anonymous to true where it asks for none"
        )
    config = Config(
        signature_version=UNSIGNED if place.anonymous else "s3v4",
        s3={"addressing_style": "path" if place.host else "auto"},
        retries={"mode": "standard", "max_attempts": 5},
        connect_timeout=10,
        read_timeout=60,
        max_pool_connections=2 * AT_ONCE,
        response_checksum_validation="when_required",  # parts of files are fetched, and files are checked as a whole
    )
    region = place.region or session.region_name or "us-east-1"
    return session.client("s3", endpoint_url=place.host or None, region_name=region, config=config)


def listing(s3: Any, place: Place, prefix: str) -> list[Item]:
    """The files whose names begin with the prefix, and can be those of files here."""
    items, unsafe = listed(s3, place.bucket, prefix)
    if unsafe:
        names = few([repr(name) for name in unsafe])
        print(f"warning: left out, since no file can have such a name: {names}", file=sys.stderr)
    return items


def bring(s3: Any, place: Place, due: Sequence[Item], copies: Copies, title: str) -> None:
    if not due:
        return
    lock = threading.Lock()
    size, left = sum(item.size for item in due), sum(copies.left(item) for item in due)
    with bar(total=size, initial=size - left, title=title, bytes_=True) as shown:

        def came(count: int) -> None:
            with lock:
                shown.update(count)

        unsure = fetch_all(s3, place.bucket, due, copies, AT_ONCE, came)
    if unsure:
        told = (
            f"{len(unsure):,} of {len(due):,} files by their size alone, since {place.name} tells no checksum of them"
        )
        print(f"note: checked {told}: {few(unsure)}", file=sys.stderr)


@contextmanager
def told(place: Place) -> Iterator[None]:
    """Make errors of the server, the way to it and the disk into sentences."""
    try:
        yield
    except KeyboardInterrupt:
        raise UserError("fetching was stopped before its end; run it again, and it goes on from there") from None
    except SyncError as error:
        raise UserError(str(error)) from None
    except ClientError as error:
        raise UserError(_reason(error, place)) from None
    except (ConnectionError, HTTPClientError) as error:
        raise UserError(f"{place.name} does not answer ({one_line(error)}); check {place.where}the network") from None
    except (BotoCoreError, ValueError) as error:  # also a profile that is not there
        raise UserError(f"{place.name} cannot be asked ({one_line(error)}); check {place.where}AWS_PROFILE") from None
    except OSError as error:
        file = error.filename2 or error.filename or "a file of the data set"
        raise UserError(f"{file} cannot be written ({error.strerror}); make room there, or see whose it is") from None


def _reason(error: ClientError, place: Place) -> str:
    said = error.response.get("Error", {})
    code = CODES.get(str(said.get("Code")), str(said.get("Code")))
    message = " ".join(str(said.get("Message", "")).split())[:WORDS]
    if code in EXPIRED:
        return f"the credentials for {place.name} have expired; get new ones"
    if code in UNKNOWN:
        token = f", or take a new {place.token}" if place.token else ""
        advice = f"correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY{token}"
        return f"{place.name} does not know these credentials ({code}); {advice}"
    if code in ELSEWHERE:
        region = f"{place.key}.region" if place.region else "AWS_DEFAULT_REGION"
        return f"{place.name} has bucket '{place.bucket}' in another region ({message}); correct {region}"
    if int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) >= 500:
        return f"{place.name} is too busy or broken ({code}: {message}); run it again later, and it goes on from there"
    words = REASONS.get(code, "{host} refused to give bucket '{bucket}' ({code}: {message}); ask who runs it")
    who = "anybody" if place.anonymous else "these credentials"
    return words.format(key=place.key, host=place.name, bucket=place.bucket, code=code, message=message, who=who)
