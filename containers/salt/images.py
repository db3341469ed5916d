"""The challenge's images: PNGs of 101 x 101 in three equal channels, of which the first one counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from containers.kit.errors import one_line
from containers.salt.rle import SIZE

Array = np.ndarray[Any, Any]


class Unreadable(Exception):  # noqa: N818  what it says is the state of a file
    """Why a file gives no image."""


def decode(path: Path) -> Array:
    """Grey levels (101, 101) in bytes; grey images will do as well."""
    return _opened(path, _grey)


def decode_mask(path: Path) -> Array:
    """Where there is salt (101, 101): what is not zero, in 8 bits or in 16."""
    return _opened(path, lambda image: _first(np.asarray(image)) != 0)


def _opened(path: Path, look: Callable[[Image.Image], Array]) -> Array:
    try:
        with Image.open(path) as image:
            if image.size != (SIZE, SIZE):
                raise Unreadable(f"it is {image.width} x {image.height}, not {SIZE} x {SIZE}")
            return look(image)
    except Unreadable:
        raise
    except Exception as error:  # Pillow's readers raise all kinds, by where the bytes are broken
        raise Unreadable(_why(error)) from None


def _grey(image: Image.Image) -> Array:
    if image.mode.startswith("I"):  # 16 bits of grey, which Pillow would cut off at 255
        return (np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8)
    return _first(np.asarray(image.convert("RGB")))


def _first(pixels: Array) -> Array:
    """The first channel, which is equal to the others."""
    return pixels if pixels.ndim == 2 else pixels[..., 0]


def read(paths: Sequence[Path]) -> tuple[Array, dict[int, str]]:
    """Images (n, 101, 101) in bytes, and why some could not be read, by their index; those are black."""
    images = np.zeros((len(paths), SIZE, SIZE), np.uint8)
    broken = {}
    for index, path in enumerate(paths):
        try:
            images[index] = decode(path)
        except Unreadable as error:
            broken[index] = str(error)
    return images, broken


def _why(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "it is no picture that Pillow knows"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return one_line(error)
