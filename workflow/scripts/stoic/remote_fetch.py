"""Fetch STOIC from its bucket: the labels, then the images of the cases that are wanted, and of those what is missing.

<scratch>/remote/<bucket>-<hash>/files         what was fetched so far, in the organisers' layout
<scratch>/remote/<bucket>-<hash>/subset-<N>    N cases of it with labels of their own, as hard links
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from containers.agrigaia.common.s3_fetch import Copies, Item
from containers.kit.errors import UserError, listed
from containers.kit.files import hash_of, replacing_tree, write_text
from containers.stoic.data import COLUMNS, REFERENCE, Row, image_file, read_reference
from workflow.scripts.remote.bring import FOLDER
from workflow.scripts.remote.room import need
from workflow.scripts.remote.s3 import bring, client, listing, told
from workflow.scripts.remote.s3_place import Place, address, bucket
from workflow.scripts.remote.table import S3
from workflow.scripts.slipway.signals import raised
from workflow.scripts.stoic.remote import ROW, SUBSET, Remote, choose

KEY = f"{ROW}.s3"
FILES = "files"
LAID_OUT = re.compile(rf"{re.escape(REFERENCE)}|{re.escape(image_file(0)).replace('0', '[0-9]+')}")


def fetch(wanted: S3, title: str, settings: Remote, scratch: Path) -> Path:
    """The folder with what is wanted, as it is in the bucket now."""
    host = address(wanted.endpoint, f"{KEY}.endpoint") if wanted.endpoint else ""
    place = Place(host, bucket(wanted.bucket, f"{KEY}.bucket"), wanted.region, wanted.anonymous, KEY)
    prefix = f"{wanted.prefix.rstrip('/')}/" if wanted.prefix else ""
    home = scratch.absolute() / FOLDER / f"{place.bucket}-{hash_of([host, place.bucket, prefix])}"
    with told(place), raised():
        s3 = client(place)
        files = {item.name: item for item in listing(s3, place, prefix) if LAID_OUT.fullmatch(item.name)}
        labels = _items(files, [REFERENCE], place, prefix)
        home.mkdir(parents=True, exist_ok=True)
        with Copies(home, FILES, "set challenges.stoic.source to it") as copies:
            bring(s3, place, [item for item in labels if not copies.has(item)], copies, f"{title}, labels")
            rows = read_reference(copies.folder / REFERENCE)
            chosen = choose(rows, settings.cases)
            target = home / f"{SUBSET}{len(chosen)}" if len(chosen) < len(rows) else copies.folder
            images = _items(files, [image_file(row.id) for row in chosen], place, prefix)
            _doubt(copies, images, target)
            due = [item for item in images if not copies.has(item)]
            need(home, sum(copies.left(item) for item in due), title)
            bring(s3, place, due, copies, title)
            gone = copies.drop_all_but(files.values())
            if target != copies.folder:
                _subset(copies.folder, target, chosen)
    size = sum(item.size for item in due) / 1e6
    print(
        f"bucket {place.bucket}: {len(chosen):,} of {len(rows):,} cases, {len(due):,} of them fetched ({size:.1f} MB), "
        f"{len(images) - len(due):,} already there; {gone:,} removed here"
    )
    return target


def _items(files: Mapping[str, Item], names: Sequence[str], place: Place, prefix: str) -> list[Item]:
    missing = [f"{prefix}{name}" for name in names if name not in files]
    if missing:
        advice = f"tell its owner, or correct {KEY}.bucket or {KEY}.prefix"
        raise UserError(f"bucket '{place.bucket}' of {place.name} has no {listed(missing)}; {advice}")
    return [files[name] for name in names]


def _doubt(copies: Copies, images: Sequence[Item], target: Path) -> None:
    """Who takes images out of a folder that was whole wants them anew, so their copies are looked into."""
    if target.is_dir():
        for item in images:
            if not (target / item.name).is_file():
                copies.known.pop(item.name, None)


def _subset(files: Path, target: Path, rows: Sequence[Row]) -> None:
    """Some cases as a data set that needs nothing outside of it; left as it is while their files are the same."""
    for left in target.parent.glob(f".{SUBSET}*"):  # by a kill
        shutil.rmtree(left)
    names = [image_file(row.id) for row in rows]
    text = "".join(f"{line}\n" for line in [",".join(COLUMNS), *(f"{one.id},{one.covid},{one.severe}" for one in rows)])
    if _there(files, target, names, text):
        return
    with replacing_tree(target) as work:
        for name in names:
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(files / name, work / name)
            except OSError:  # a disk without such links
                shutil.copy2(files / name, work / name)
        write_text(work / REFERENCE, text)


def _there(files: Path, target: Path, names: Sequence[str], text: str) -> bool:
    found = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file() and not path.is_symlink()}
    if found != {REFERENCE, *names} or (target / REFERENCE).read_text(encoding="utf-8", errors="replace") != text:
        return False
    return all(_mark(files / name) == _mark(target / name) for name in names)


def _mark(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
