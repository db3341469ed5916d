"""The platform's bucket as a source: which data set of which S3 server.

Rules ask this while Snakemake reads them, so nothing large is imported here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from containers.kit.errors import UserError

KEY = "challenges.agrigaia.remote"
WANTED = {
    "host": "the address of the S3 server, such as https://s3.example.org",
    "bucket": "the name of the bucket",
    "dataset": "the number of the data set, a folder below datasets/ in the bucket",
}
BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")


@dataclass(frozen=True)
class Remote:
    host: str = ""
    bucket: str = ""
    dataset: str = ""
    anonymous: bool = False


def complete(settings: Remote) -> Remote:
    """The same in plain form, where a data set can be looked for with it."""
    values = {name: str(getattr(settings, name)).strip() for name in WANTED}
    for name, what in WANTED.items():
        if not values[name]:
            raise UserError(f"{KEY}.{name} is empty; set it to {what}")
    if not BUCKET.fullmatch(values["bucket"]):
        raise UserError(f"{KEY}.bucket '{values['bucket']}' is no name of a bucket; give its name alone")
    dataset = values["dataset"]
    if PurePosixPath(dataset).name != dataset or dataset.startswith(".") or not dataset.isprintable():
        raise UserError(f"{KEY}.dataset '{dataset}' is no name of a folder; give the one below datasets/ in the bucket")
    return Remote(_address(values["host"]), values["bucket"], dataset, bool(settings.anonymous))


def _address(host: str) -> str:
    """Without a slash at its end."""
    advice = "give it as https://s3.example.org or http://minio:9000"
    try:
        parts = urlsplit(host)
        known = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        raise UserError(f"{KEY}.host is no address of a server; {advice}") from None
    if parts.username is not None or parts.password is not None:  # which is not shown
        raise UserError(f"{KEY}.host has a user or a password in it; leave them out, and set AWS_ACCESS_KEY_ID instead")
    if not known or parts.path.strip("/") or parts.query or parts.fragment or not host.isprintable() or " " in host:
        raise UserError(f"{KEY}.host '{host}' is no address of a server; {advice}")
    return f"{parts.scheme}://{parts.netloc}"
