"""Folders made of links where the file system allows it, and folders that are emptied with care."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection
from pathlib import Path

from containers.kit.errors import UserError


def emptied(folder: Path, suffix: str, also: Collection[str] = ()) -> None:
    """Take the images out of --folder, which a container finds as its input; one named by mistake is not emptied.

    `also` names files that may lie beside the images, and go as well.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UserError(f"--folder {folder} is a file; name a folder that may be emptied")
    there = sorted(folder.iterdir())
    others = [path.name for path in there if not (path.is_file() and (path.suffix == suffix or path.name in also))]
    if others:
        raise UserError(f"--folder {folder} holds {others[0]}, which is no image; name a folder that may be emptied")
    for path in there:  # and what a kill left of one
        path.unlink()


def link(source: Path, target: Path) -> None:
    """The same file under another name without taking space, or a copy where it lies on another disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def link_tree(source: Path, target: Path) -> None:
    """`link` for every file below a folder; empty folders come along."""
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.rglob("*")):
        if path.is_dir():
            (target / path.relative_to(source)).mkdir(parents=True, exist_ok=True)
        else:
            link(path, target / path.relative_to(source))
