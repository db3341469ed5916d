"""Whether the competition's images are what they should be: their size, and of some of them also what they show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from containers.kit.errors import UserError, listed
from containers.kit.pool import each
from containers.salt.rle import SIZE, decode

FIRST, STEP = 50, 40  # looked at closely: the first ones, and every so manieth
BATCH = 2000  # images a piece of work
UNREADABLE = "cannot be read as images; download the data again"
SIZES = f"are not {SIZE} x {SIZE}; take the images as the competition has them"
COLOURS = "are not grey (their channels differ); take the images as the competition has them"
MASKS = "show other salt than the rle_mask of train.csv; take both from one download"
KINDS = (UNREADABLE, SIZES, COLOURS, MASKS)


@dataclass(frozen=True)
class Check:
    """One file, and whether to look closely; `rle` is what a mask should be, None of an image."""

    file: str
    closely: bool
    rle: str | None = None


def checks(files: Sequence[str], rles: Sequence[str] | None = None) -> list[Check]:
    """What to look at in some files, of which `rles` has the masks where they are such."""
    of_file: Sequence[str | None] = [None] * len(files) if rles is None else rles
    return [
        Check(file, index < FIRST or index % STEP == 0, rle)
        for index, (file, rle) in enumerate(zip(files, of_file, strict=True))
    ]


def check(root: Path, work: Sequence[Check], workers: int) -> None:
    """A UserError tells the first kind of fault, and which files have it."""
    batches = [(root, work[begin : begin + BATCH]) for begin in range(0, len(work), BATCH)]
    faults: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for result in each(_faults, batches, workers=workers, title="looking at the images"):
        if isinstance(result, UserError):
            raise result
        for kind, file in result:
            faults[kind].append(file)
    for kind, files in faults.items():
        if files:
            raise UserError(f"{root} has {len(files):,} files that {kind} ({listed(files)})")


def _faults(batch: tuple[Path, Sequence[Check]]) -> list[tuple[str, str]]:
    root, work = batch
    return [(kind, one.file) for one in work if (kind := _fault(root, one))]


def _fault(root: Path, one: Check) -> str | None:
    try:
        with Image.open(root / one.file) as image:
            if image.size != (SIZE, SIZE):
                return SIZES
            pixels = np.asarray(image) if one.closely else None
    except (OSError, SyntaxError, ValueError):  # what Pillow says of a broken PNG
        return UNREADABLE
    if pixels is None:
        return None
    if pixels.ndim == 3:
        if (pixels[..., :3] != pixels[..., :1]).any():
            return COLOURS
        pixels = pixels[..., 0]
    if one.rle is not None and ((pixels != 0) != decode(one.rle, f"the mask of {one.file}")).any():
        return MASKS
    return None
