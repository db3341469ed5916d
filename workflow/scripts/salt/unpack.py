"""Zips from elsewhere, unpacked into a folder that none of their members can leave."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from containers.kit.errors import UserError, listed
from containers.kit.files import CHUNK
from containers.kit.progress import bar

FILES, BYTES = 100_000, 8 << 30  # of one zip; all of the competition is 26,003 files
AGAIN = "download it again"
CLUTTER = ("__MACOSX", ".DS_Store")


def unpack(path: Path, target: Path, top: str = "", called: str = "") -> None:
    """All members into `target`; if each lies in a folder `top`, they lie in `target`/`top` and not one deeper.

    A UserError says what is wrong with the zip, by the name it is `called`; then, as with any other error, `target` is
    to be thrown away.
    """
    name = called or str(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = [(member, place) for member in archive.infolist() if (place := _place(name, member))]
            if top and not all(place.parts[0] == top for _, place in members):
                target = target / top
            twice = [str(place) for place, count in Counter(place for _, place in members).items() if count > 1]
            if twice:
                raise UserError(f"{name} holds {listed(twice)} more than once; {AGAIN}")
            _within_limits(name, (member for member, _ in members), target)
            for member, place in bar(members, title=path.name):
                _write(archive, member, target / place)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise UserError(f"{name} is no whole zip ({error}); {AGAIN}") from None


def _place(zipped: str, member: zipfile.ZipInfo) -> PurePosixPath | None:
    """Where a member goes, below the target; None for folders and for what a Mac adds."""
    name = member.filename
    place = PurePosixPath(name)
    if place.is_absolute() or ".." in place.parts or "\\" in name or ":" in name:
        raise UserError(f"{zipped} holds {name!r}, which would leave the folder it is unpacked to; {AGAIN}")
    if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise UserError(f"{zipped} holds {name!r}, which is a link or a device; {AGAIN}")
    if member.flag_bits & 1:
        raise UserError(f"{zipped} is encrypted, and the competition's is not; {AGAIN}")
    if member.is_dir() or not place.parts or place.parts[0] in CLUTTER or place.name in CLUTTER:
        return None
    return place


def _within_limits(zipped: str, members: Iterable[zipfile.ZipInfo], target: Path) -> None:
    """Before anything is written. zipfile gives no more of a member than what it says of its size."""
    sizes = [member.file_size for member in members]
    if len(sizes) > FILES or sum(sizes) > BYTES:
        told = f"{len(sizes):,} files of {sum(sizes):,} bytes, far more than the competition has"
        raise UserError(f"{zipped} would unpack to {told}; {AGAIN}")
    there = next(folder for folder in (target, *target.parents) if folder.is_dir())
    free = shutil.disk_usage(there).free
    if sum(sizes) > free:
        raise UserError(f"{zipped} unpacks to {sum(sizes):,} bytes, and {there} has {free:,} free; make room there")


def _write(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as source, target.open("xb") as sink:
        shutil.copyfileobj(source, sink, CHUNK)
