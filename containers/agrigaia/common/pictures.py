"""The picture files of a data set, and which of them an annotation's name means.

Names from annotations are looked up among the files that are there and never made into a path, so that none can reach
out of the data set. This module imports none of its neighbours.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from PIL import Image

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
ANNOTATIONS = "annotations"
ORIENTATION, TURNED = 0x0112, (5, 6, 7, 8)  # the Exif tag, and its values that swap width and height


def find(root: Path, links: bool = False) -> tuple[list[Path], list[str]]:
    """Sorted, with those in folders; and what is left out, since it links out of the data set, unless `links` may."""
    inside = root.resolve()
    found, complaints = [], []
    for base, folders, names in os.walk(root):
        top = ANNOTATIONS if Path(base) == root else ""
        folders[:] = sorted(folder for folder in folders if not folder.startswith(".") and folder != top)
        for name in sorted(names):
            path = Path(base, name)
            if name.startswith(".") or path.suffix.lower() not in SUFFIXES:
                continue
            if links or path.resolve().is_relative_to(inside):
                found.append(path)
            else:
                complaints.append(f"{path} is a link out of the data set; put the picture itself there")
    return sorted(found), complaints


def match(names: Sequence[str], files: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The file of each name, both relative to the data set's folder; and the names for which there is none.

    The whole name decides where a file has it, with or without CVAT's folder `images`; else the name without its
    folders, if it is one file's and one annotation's.
    """
    there = set(files)
    by_name: dict[str, list[str]] = {}
    for file in files:
        by_name.setdefault(PurePosixPath(file).name, []).append(file)
    wanted = Counter(_last(name) for name in names)
    found: dict[str, str] = {}
    taken: set[str] = set()
    complaints: list[str] = []
    for name in names:
        plain = name.replace("\\", "/")
        whole = next((path for path in (plain, f"images/{plain}") if path in there), None)
        close = by_name.get(_last(name), [])
        if whole in taken:
            complaints.append(f"{name} and another annotated image both mean {whole}; the first counts")
        elif whole:
            found[name] = whole
            taken.add(whole)
        elif len(close) == 1 and wanted[_last(name)] == 1:
            found[name] = close[0]
        elif close:
            complaints.append(
                f"{name} could be {' or '.join(close[:3])}, and {wanted[_last(name)]} annotated images end so; "
                "keep the folders of CVAT's names"
            )
        else:
            complaints.append(f"{name} is annotated and not there; put the picture into the data set")
    return found, complaints


def _last(name: str) -> str:
    return PurePosixPath(name.replace("\\", "/")).name


def link_names(files: Sequence[str]) -> dict[str, str]:
    """What each file is called among the links, where no two differ in their suffix alone: labels are named by it."""
    taken: set[str] = set()
    names = {}
    for file in sorted(files):
        path = PurePosixPath(file)
        stem, number = path.with_suffix(""), 1
        while str(stem).lower() in taken:
            number += 1
            stem = path.with_name(f"{path.stem}-{number}")
        taken.add(str(stem).lower())
        names[file] = f"{stem}{path.suffix}"
    return names


def odd_sizes(sizes: Mapping[Path, tuple[int, int]]) -> dict[Path, str]:
    """What is wrong with the files that are not pictures of the sizes that their annotations have."""
    checked = {path: _odd(path, size) for path, size in sizes.items()}
    return {path: wrong for path, wrong in checked.items() if wrong}


def _odd(path: Path, size: tuple[int, int]) -> str:
    try:
        own = upright_size(path)
    except (OSError, SyntaxError, ValueError) as error:
        return f"{path} cannot be read as a picture ({' '.join(str(error).split())}); put it there again"
    if own == size:
        return ""
    return f"{path} is {own[0]} x {own[1]} and was annotated as {size[0]} x {size[1]}; take both from one export"


def upright_size(path: Path) -> tuple[int, int]:
    """Width and height the right way up, as the camera says: CVAT shows and counts them so."""
    with Image.open(path) as picture:
        width, height = picture.size
        return (height, width) if picture.getexif().get(ORIENTATION) in TURNED else (width, height)


def named(complaints: Iterable[str], most: int = 20) -> list[str]:
    """The first of them, and how many more there are."""
    lines = list(complaints)
    return lines[:most] + ([f"and {len(lines) - most} more"] if len(lines) > most else [])
