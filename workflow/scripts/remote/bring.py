"""The archive of a web server, as a folder: fetched, checked, unpacked, and none of it twice."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from containers.kit.errors import UserError
from containers.kit.files import hash_of
from workflow.scripts.remote import terms
from workflow.scripts.remote.room import need
from workflow.scripts.remote.table import Row

FOLDER = "remote"


def unpacked(row: Row, key: str, accept: Sequence[str], scratch: Path, workers: int) -> Path:
    """The folder with what the archive holds, below `scratch`; `key` is the row that errors name."""
    from workflow.scripts.remote import http, unpack  # here, since the other sources need none of what they import

    if row.http is None or row.archive is None:
        raise UserError(f"{key} must have http and archive, as config/sources.yaml has them; correct it under sources")
    terms.accepted(row, accept, scratch)
    folder = scratch.absolute() / FOLDER
    wanted = row.http
    target = folder / f"{Path(wanted.file).stem}-{hash_of([wanted.file, wanted.size, wanted.sha256, wanted.md5])}"
    archive = folder / wanted.file
    if not target.is_dir():
        if not any(folder.glob(f"{wanted.file}*")):  # later the fetcher and the unpacker reckon what is still to come
            need(folder, 2 * (wanted.size or wanted.about), f"{row.title} (its archive, and what that holds)")
        archive = http.fetch(wanted, folder, key)
    unpack.unpack(archive, target, row.archive, key=key, workers=workers)
    if archive.is_file():
        size = archive.stat().st_size / 1e9
        print(f"note: {archive} ({size:.1f} GB) is unpacked; remove it if its room is needed", file=sys.stderr)
    return target
