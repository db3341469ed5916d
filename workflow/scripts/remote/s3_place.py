"""A bucket, as settings name it. Rules ask this while Snakemake reads them, so nothing large is imported here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from containers.kit.errors import UserError

BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")


@dataclass(frozen=True)
class Place:
    host: str  # as `address` gives it; empty is Amazon's own
    bucket: str
    region: str  # empty is boto3's own
    anonymous: bool
    key: str  # the section of the configuration that errors name
    called: str = "endpoint"  # the host's key there
    token: str = ""  # the variable, beside boto3's, that credentials could come from

    @property
    def name(self) -> str:
        return self.host or "Amazon S3"

    @property
    def where(self) -> str:
        """What to check before anything else, in a sentence."""
        return f"{self.key}.{self.called} and " if self.host else ""


def address(host: str, key: str) -> str:
    """Without a slash at its end; `key` is the setting that errors name."""
    advice = "give it as https://s3.example.org or http://minio:9000"
    try:
        parts = urlsplit(host)
        known = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        raise UserError(f"{key} is no address of a server; {advice}") from None
    if parts.username is not None or parts.password is not None:  # which is not shown
        raise UserError(f"{key} has a user or a password in it; leave them out, and set AWS_ACCESS_KEY_ID instead")
    if not known or parts.path.strip("/") or parts.query or parts.fragment or not host.isprintable() or " " in host:
        raise UserError(f"{key} '{host}' is no address of a server; {advice}")
    return f"{parts.scheme}://{parts.netloc}"


def bucket(name: str, key: str) -> str:
    if not BUCKET.fullmatch(name):
        raise UserError(f"{key} '{name}' is no name of a bucket; give its name alone")
    return name
