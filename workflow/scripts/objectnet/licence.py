"""ObjectNet's licence, and the check that no image of ObjectNet has a part in choosing or training a network."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from containers.kit.errors import UserError

CLAUSES = {
    1: "ObjectNet's images may never be used to tune the parameters of any model",
    2: "an image of ObjectNet may be shown on the web only with its red border",
}
LICENCE = "CC BY 4.0 with two clauses of ObjectNet's own: " + "; ".join(
    f"({number}) {clause}" for number, clause in CLAUSES.items()
)
MAPPING = Path("mappings", "objectnet_to_imagenet_1k.json")  # lies in every copy of the release
RELEASE = "objectnet-1.0"
PACKAGE = "package"
NAME = re.compile(r"[0-9a-f]{15}\.png", re.IGNORECASE)
RED, PNG = (255, 0, 0), b"\x89PNG\r\n\x1a\n"


def refuse(photos: Sequence[Path], flag: str) -> None:
    """Raise an error if one of the photos is ObjectNet's by its place, its name or its border.

    `flag` is what names the photos. Demo images look like ObjectNet's and count as such.
    """
    known: dict[Path, Path | None] = {}
    for photo in photos:
        if why := _sign(photo, known):
            raise UserError(f"{flag} gives {photo}, which {why}; {_forbidden()}; choose by photos of another source")


def refuse_folders(source: str, photos: str) -> None:
    """Raise an error if the photos to choose by and ObjectNet's images share a folder; by their paths alone."""
    if photos == PACKAGE or source in ("demo", "remote"):
        return
    mine, theirs = Path(photos).resolve(), Path(source).resolve()
    if mine == theirs:
        how = "is"
    elif mine.is_relative_to(theirs):
        how = "lies inside"
    elif theirs.is_relative_to(mine):
        how = "holds"
    else:
        return
    raise UserError(
        f"challenges.objectnet.train.photos ({photos}) {how} challenges.objectnet.source ({source}); {_forbidden()}; "
        f"set photos to '{PACKAGE}' or to a folder of other photos"
    )


def _forbidden() -> str:
    return f"clause 1 of its licence forbids that: {CLAUSES[1]}"


def _sign(photo: Path, known: dict[Path, Path | None]) -> str:
    """How a photo is known to be ObjectNet's; nothing where it is not."""
    for path in dict.fromkeys((photo.absolute(), photo.resolve())):  # a link's own place and that of what it leads to
        if release := _release(path.parent, known):
            return f"lies below {release}, a release of ObjectNet"
        if NAME.fullmatch(path.name):
            return "is named as ObjectNet's images are, by 15 hex digits and .png"
    return "has the red border of ObjectNet's images" if _bordered(photo) else ""


def _release(folder: Path, known: dict[Path, Path | None]) -> Path | None:
    """The folder itself or one above it that is a release."""
    if folder not in known:
        found = (one for one in _upwards(folder) if one.name.lower().startswith(RELEASE) or (one / MAPPING).is_file())
        known[folder] = next(found, None)
    return known[folder]


def _upwards(folder: Path) -> Iterator[Path]:
    yield folder
    yield from folder.parents


def _bordered(photo: Path) -> bool:
    """Whether the outermost pixels are pure red; only of PNGs, since others would not keep the colour."""
    from PIL import Image  # here, since the workflow is read with `refuse_folders` alone

    try:
        with photo.open("rb") as stream:
            if stream.read(len(PNG)) != PNG:
                return False
        with Image.open(photo) as opened:
            picture = opened.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):  # whoever uses the photo will name it
        return False
    right, bottom = picture.size
    edges = [(0, 0, right, 1), (0, bottom - 1, right, bottom), (0, 0, 1, bottom), (right - 1, 0, right, bottom)]
    return all(picture.crop(edge).getcolors(1) == [((edge[2] - edge[0]) * (edge[3] - edge[1]), RED)] for edge in edges)
