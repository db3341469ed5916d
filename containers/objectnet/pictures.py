"""The photos: which there are, and reading one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from containers.kit.errors import UserError, listed, one_line

SUFFIX = ".png"
BORDER = 2  # pixels of red on each side, which the organisers put around every photo of ObjectNet


class Unreadable(Exception):  # noqa: N818  what it says is the state of a file
    """Why a file gives no photo."""


def find(folder: Path) -> list[Path]:
    """Every .png in the folder and below it, in the order of their names, of which no two may be the same."""
    if not folder.is_dir():
        raise UserError(f"images-dir {folder} is no folder; name the folder with the photos")
    found = sorted(_below(folder, set()), key=lambda path: path.name)
    if not found:
        raise UserError(
            f"images-dir {folder} has no {SUFFIX} file, nor has a folder in it; name the one with the photos"
        )
    twice = [f"{a} and {b}" for a, b in pairwise(found) if a.name == b.name]
    if twice:
        raise UserError(
            f"photos must differ in their names, by which the predictions are told apart; rename one of {listed(twice)}"
        )
    broken = [ascii(path.name) for path in found if "\n" in path.name or "\r" in path.name]
    if broken:
        raise UserError(f"a photo's name must be one line; rename {listed(broken)}")
    return found


def _below(folder: Path, entered: set[tuple[int, int]]) -> Iterator[Path]:
    """Hidden files are left out; links are followed, but no folder is entered twice."""
    try:
        told = folder.stat()
        if (told.st_dev, told.st_ino) in entered:
            return
        entered.add((told.st_dev, told.st_ino))
        with os.scandir(folder) as entries:
            inside = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise UserError(f"{folder} cannot be read ({error.strerror}); open it to this user") from None
    for entry in inside:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _below(Path(entry.path), entered)
        elif entry.name.endswith(SUFFIX):
            yield Path(entry.path)


def decode(path: Path, border: int = BORDER) -> Image.Image:
    """The photo in RGB without its border; what is transparent keeps the colour that lies below."""
    try:
        with Image.open(path) as image:
            width, height = image.size
            if min(width, height) <= 2 * border:
                raise Unreadable(f"it is {width} x {height}, with nothing inside its border")
            inside = _rgb(image)
    except Unreadable:
        raise
    except Exception as error:  # Pillow's readers raise all kinds, by where the bytes are broken
        raise Unreadable(_why(error)) from None
    return inside.crop((border, border, width - border, height - border)) if border else inside


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits of grey, which Pillow would cut off at 255
        return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8)).convert("RGB")
    return image.convert("RGB")


def _why(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "it is no picture that Pillow knows"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return one_line(error)
