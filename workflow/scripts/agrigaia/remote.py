"""The platform's bucket as a source: which data set of which S3 server.

Rules ask this while Snakemake reads them, so nothing large is imported here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from containers.kit.errors import UserError
from workflow.scripts.remote.s3_place import address, bucket

KEY = "challenges.agrigaia.remote"
WANTED = {
    "host": "the address of the S3 server, such as https://s3.example.org",
    "bucket": "the name of the bucket",
    "dataset": "the number of the data set, a folder below datasets/ in the bucket",
}


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
    found = bucket(values["bucket"], f"{KEY}.bucket")
    dataset = values["dataset"]
    if PurePosixPath(dataset).name != dataset or dataset.startswith(".") or not dataset.isprintable():
        raise UserError(f"{KEY}.dataset '{dataset}' is no name of a folder; give the one below datasets/ in the bucket")
    return Remote(address(values["host"], f"{KEY}.host"), found, dataset, bool(settings.anonymous))
