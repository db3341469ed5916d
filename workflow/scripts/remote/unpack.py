"""Unpack a zip or a tar as a folder, which is there whole or not at all.

    python -m workflow.scripts.remote.unpack --archive amos22.zip --target scratch/amos22 \\
        --limits '{"files": 5000, "bytes": 60000000000, "ratio": 20}'

What is written lies in .NAME.unpacking beside the folder NAME until all is there. What an interrupted run left there is
gone on with: a file gets its name when its size and checksum were right.
"""

from __future__ import annotations

import argparse
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError, reports_errors
from containers.kit.files import read_json, write_json
from containers.kit.settings import parse
from workflow.scripts.remote import unpack_tar, unpack_write, unpack_zip
from workflow.scripts.remote.alone import lock, same
from workflow.scripts.remote.room import need
from workflow.scripts.remote.table import Archive
from workflow.scripts.remote.unpack_plan import Box, Member, UnsoundError, digest
from workflow.scripts.remote.unpack_write import Place
from workflow.scripts.slipway.folders import empty
from workflow.scripts.slipway.signals import raised

KEY = "sources.data.NAME"
ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # what zips begin with; the second one is an empty one's
RECORD = "record.json"


def unpack(
    path: Path, target: Path, limits: Archive, *, top: str = "", called: str = "", workers: int = 0, key: str = KEY
) -> None:
    """All members of a zip or tar at `path` as the folder `target`.

    Where `target` was unpacked from it before, nothing is done, also if `path` was removed since. The members lie in
    `target`/`top`, and not one deeper if each of them lies in a folder of that name. Errors name the archive as it is
    `called`, and `key`, its row in the table of sources.
    """
    box, target = Box(path, called or str(path), limits, key), target.absolute()
    work = target.with_name(f".{target.name}.unpacking")
    try:
        if not work.exists() and _done(box, target, top):
            return
        if not path.is_file() and not _done(box, target, top):
            raise UserError(f"{box.name} is not there; fetch it again")
        with raised(), _alone(work):
            if not _done(box, target, top):
                _into(box, target, work, top, workers)
            shutil.rmtree(work)
    except KeyboardInterrupt:
        raise UserError("unpacking was stopped before its end; run it again, and it goes on from there") from None
    except OSError as error:
        place = error.filename2 or error.filename or target.parent
        raise UserError(
            f"{place} cannot be read or written ({error.strerror}); make room, or see whose it is"
        ) from None


def _into(box: Box, target: Path, work: Path, top: str, workers: int) -> None:
    before = _marks(box, top)
    record = work / RECORD
    if not record.is_file() or read_json(record) != before:  # of another archive
        empty(work)
        write_json(record, before)
    place = Place(work / "files", work / "parts")
    shutil.rmtree(place.parts, ignore_errors=True)
    for folder in (place.files, place.parts):
        folder.mkdir(exist_ok=True)
    try:
        found = _plan(box, top)
        facts = {"archive": box.path.name, "members": digest(found), "files": len(found)}
        facts |= {**before, "bytes": sum(one.size for one in found)}
        if target.exists() and read_json(_record(target))["members"] == facts["members"]:
            write_json(_record(target), facts)  # the same archive, fetched or copied again
            return
        _write(box, found, place, target, workers)
    except UserError as error:
        if isinstance(error, UnsoundError) or not any(place.files.iterdir()):
            shutil.rmtree(work)
        raise
    if _marks(box, top) != before:
        raise UserError(f"{box.name} changed while it was unpacked; see that nothing writes it, and run this again")
    _finish(target, work, facts)


def _plan(box: Box, top: str) -> tuple[Member, ...]:
    if not _is_zip(box):
        return unpack_tar.plan(box, top)
    with unpack_zip.opened(box) as archive:
        return unpack_zip.plan(archive, top)


def _write(box: Box, found: Sequence[Member], place: Place, target: Path, workers: int) -> None:
    left = _left(box, found, place, target)
    if left and _is_zip(box):
        with unpack_zip.opened(box) as archive:
            unpack_write.zipped(archive, left, place, workers)
    elif left:
        members = unpack_tar.contents(box, left)
        unpack_write.one_by_one(box, members, place, sum(one.size for one in left))
    _check(found, place.files)


def _is_zip(box: Box) -> bool:
    with box.path.open("rb") as stream:
        return stream.read(4) in ZIP


def _left(box: Box, found: Sequence[Member], place: Place, target: Path) -> tuple[Member, ...]:
    """What is still to be written, for which there is room."""
    left = tuple(one for one in found if _size(place.files / one.place) != one.size)
    need(target.parent, sum(one.size for one in left), f"what {box.name} holds")
    return left


def _size(path: Path) -> int | None:
    try:
        state = path.lstat()
    except FileNotFoundError:
        return None
    return state.st_size if stat.S_ISREG(state.st_mode) else None


def _check(found: Sequence[Member], files: Path) -> None:
    """All of it is there, and nothing else."""
    there = {
        str(Path(base, name).relative_to(files)): Path(base, name).lstat().st_size
        for base, _, names in os.walk(files)
        for name in names
    }
    if there != {one.place: one.size for one in found}:
        raise UserError(f"{files} was changed by somebody else; remove {files.parent} and run this again")


def _finish(target: Path, work: Path, facts: dict[str, Any]) -> None:
    """In an order in which a kill between two steps leaves no folder beside another one's record."""
    if target.exists():
        target.rename(work / "old")
    write_json(_record(target), facts)
    (work / "files").rename(target)


def _done(box: Box, target: Path, top: str) -> bool:
    """Whether the folder is what this archive gives."""
    if not target.exists():
        return False
    if not _record(target).is_file():
        raise UserError(f"nothing tells what {target} was unpacked from; move it away, and run this again")
    if not box.path.is_file():
        return True
    facts = read_json(_record(target))
    return all(facts[name] == value for name, value in _marks(box, top).items())


def _marks(box: Box, top: str) -> dict[str, Any]:
    state = box.path.stat()
    return {"size": state.st_size, "mtime_ns": state.st_mtime_ns, "top": top}


def _record(target: Path) -> Path:
    return target.with_name(f".{target.name}.unpacked.json")


@contextmanager
def _alone(work: Path) -> Iterator[None]:
    """The work folder is there, and no other process is in it."""
    while True:
        work.mkdir(parents=True, exist_ok=True)
        handle = os.open(work, os.O_RDONLY)
        try:
            lock(handle, f"{work} is in use by another process; waiting for its end")
            if same(handle, work):  # the one that had the lock removes the folder
                yield
                return
        finally:
            os.close(handle)


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archive", type=Path, required=True, help="a zip or tar")
    parser.add_argument("--target", type=Path, required=True, help="the folder to make")
    parser.add_argument(
        "--limits", required=True, help="what it may come to, as in config/sources.yaml: JSON, or @file"
    )
    parser.add_argument("--workers", type=int, default=0, help="processes; 0 means one a CPU")
    args = parser.parse_args(argv)
    unpack(args.archive, args.target, parse(Archive, args.limits, "--limits"), workers=args.workers)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
