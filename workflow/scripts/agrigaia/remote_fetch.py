"""Fetch a data set of the platform's bucket: whole files, and of those only what is new or has changed.

Credentials are OID_ACCESS_TOKEN, which buys temporary ones as it does on the platform, or those that boto3 finds
(AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, ~/.aws). They are neither kept nor shown.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

from containers.agrigaia.common.s3_fetch import Copies, Item, SyncError, fetch_all, listed, room
from containers.kit.errors import WORDS, UserError, one_line
from containers.kit.errors import listed as few
from containers.kit.files import hash_of
from containers.kit.progress import bar
from workflow.scripts.agrigaia.remote import KEY, Remote, complete
from workflow.scripts.agrigaia.remote_token import VARIABLE, assume
from workflow.scripts.slipway.signals import raised

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


def fetch(settings: Remote, scratch: Path) -> Path:
    """The data set's folder, as it is in the bucket now; each data set of each server has a folder of its own."""
    wanted = complete(settings)
    named = f"{wanted.bucket}-{hash_of([wanted.host, wanted.bucket, wanted.dataset])}"
    root = scratch / "remote" / named / "datasets"
    with _told(wanted), raised():
        s3 = _client(wanted)
        items = _items(s3, wanted)
        root.mkdir(parents=True, exist_ok=True)
        with Copies(root, wanted.dataset) as copies:
            due = [item for item in items if not copies.has(item)]
            room(due, root)
            _bring(s3, wanted, due, copies)
            gone = copies.drop_all_but(items)
    size = sum(item.size for item in due) / 1e6
    print(
        f"datasets/{wanted.dataset} of bucket {wanted.bucket}: {len(items):,} files, {len(due):,} of them fetched "
        f"({size:.1f} MB), {len(items) - len(due):,} already there; {gone:,} removed here"
    )
    return root / wanted.dataset


def _items(s3: Any, wanted: Remote) -> list[Item]:
    prefix = f"datasets/{wanted.dataset}/"
    items, unsafe = listed(s3, wanted.bucket, prefix)
    if unsafe:
        names = few([repr(name) for name in unsafe])
        print(f"warning: left out, since no file can have such a name: {names}", file=sys.stderr)
    if not items:
        raise UserError(f"bucket '{wanted.bucket}' of {wanted.host} has nothing under {prefix}; correct {KEY}.dataset")
    return items


def _bring(s3: Any, wanted: Remote, due: list[Item], copies: Copies) -> None:
    if not due:
        return
    lock = threading.Lock()
    with bar(total=sum(item.size for item in due), title=f"data set {wanted.dataset}", bytes_=True) as shown:

        def came(count: int) -> None:
            with lock:
                shown.update(count)

        fetch_all(s3, wanted.bucket, due, copies, AT_ONCE, came)


def _client(wanted: Remote) -> Any:
    # Parts of files are fetched, and files are checked as a whole.
    os.environ.setdefault("AWS_RESPONSE_CHECKSUM_VALIDATION", "when_required")
    token = "" if wanted.anonymous else os.environ.get(VARIABLE, "").strip()
    session = boto3.Session(**assume(wanted.host, token)) if token else boto3.Session()
    if not wanted.anonymous and session.get_credentials() is None:
        raise UserError(
            f"there are no credentials for {wanted.host}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
            f"AWS_PROFILE, or {VARIABLE}, or {KEY}.anonymous to true where it asks for none"
        )
    config = Config(
        signature_version=UNSIGNED if wanted.anonymous else "s3v4",
        s3={"addressing_style": "path"},
        retries={"mode": "standard", "max_attempts": 5},
        connect_timeout=10,
        read_timeout=60,
        max_pool_connections=2 * AT_ONCE,
    )
    region = session.region_name or "us-east-1"
    return session.client("s3", endpoint_url=wanted.host, region_name=region, config=config)


@contextmanager
def _told(wanted: Remote) -> Iterator[None]:
    """Make errors of the server, the way to it and the disk into sentences."""
    host = wanted.host
    try:
        yield
    except KeyboardInterrupt:
        raise UserError("fetching was stopped before its end; run it again, and it goes on from there") from None
    except SyncError as error:
        raise UserError(str(error)) from None
    except ClientError as error:
        raise UserError(_reason(error, wanted)) from None
    except (ConnectionError, HTTPClientError) as error:
        raise UserError(f"{host} does not answer ({one_line(error)}); check {KEY}.host and the network") from None
    except (BotoCoreError, ValueError) as error:  # also a profile that is not there
        raise UserError(f"{host} cannot be asked ({one_line(error)}); check {KEY}.host and AWS_PROFILE") from None
    except OSError as error:
        place = error.filename2 or error.filename or "a file of the data set"
        raise UserError(f"{place} cannot be written ({error.strerror}); make room there, or see whose it is") from None


def _reason(error: ClientError, wanted: Remote) -> str:
    said = error.response.get("Error", {})
    code = CODES.get(str(said.get("Code")), str(said.get("Code")))
    if code in EXPIRED:
        return f"the credentials for {wanted.host} have expired; get new ones"
    if code in UNKNOWN:
        advice = f"correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or take a new {VARIABLE}"
        return f"{wanted.host} does not know these credentials ({code}); {advice}"
    message = " ".join(str(said.get("Message", "")).split())[:WORDS]
    words = REASONS.get(code, "{host} refused to give bucket '{bucket}' ({code}: {message}); ask who runs it")
    who = "anybody" if wanted.anonymous else "these credentials"
    return words.format(key=KEY, host=wanted.host, bucket=wanted.bucket, code=code, message=message, who=who)
