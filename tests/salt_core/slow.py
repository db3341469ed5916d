"""The same rules pixel by pixel and in fractions, to compare with."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from containers.salt.rle import PIXELS, SIZE, Masks


def encode(mask: Masks) -> str:
    """One pixel after the other, down the columns."""
    words: list[str] = []
    length = 0
    for pixel in range(1, PIXELS + 2):
        inside = pixel <= PIXELS and bool(mask[(pixel - 1) % SIZE, (pixel - 1) // SIZE])
        if inside:
            length += 1
        elif length:
            words += [str(pixel - length), str(length)]
            length = 0
    return " ".join(words)


def decode(text: str) -> Masks:
    mask = np.zeros((SIZE, SIZE), np.bool_)
    numbers = [int(word) for word in text.split()]
    for start, length in zip(numbers[::2], numbers[1::2], strict=True):
        for pixel in range(start, start + length):
            mask[(pixel - 1) % SIZE, (pixel - 1) // SIZE] = True
    return mask


def average_precision(truth: Masks, predicted: Masks) -> Fraction:
    """By sets of pixels: one object an image, so that each threshold is hit or missed."""
    salt = {(int(row), int(column)) for row, column in zip(*np.nonzero(truth), strict=True)}
    found = {(int(row), int(column)) for row, column in zip(*np.nonzero(predicted), strict=True)}
    if not salt and not found:
        return Fraction(1)
    if not salt or not found:
        return Fraction(0)
    overlap = Fraction(len(salt & found), len(salt | found))
    hits = [overlap > Fraction(50 + 5 * step, 100) for step in range(10)]
    return Fraction(sum(hits), len(hits))


def first_pixels(count: int) -> Masks:
    """A mask of the first pixels, down the columns."""
    mask: Masks = (np.arange(PIXELS) < count).reshape(SIZE, SIZE).T
    return mask


def table(path: Path, rows: Mapping[str, str], header: str = "id,rle_mask") -> Path:
    path.write_text("".join(f"{line}\n" for line in [header, *(f"{name},{text}" for name, text in rows.items())]))
    return path


@st.composite
def masks(draw: st.DrawFn) -> Masks:
    """Rectangles put in and cut out, and noise of any density: empty and full ones among them."""
    mask = np.full((SIZE, SIZE), draw(st.booleans()))
    edge = st.integers(0, SIZE)
    for value in draw(st.lists(st.booleans(), max_size=4)):
        top, bottom = sorted((draw(edge), draw(edge)))
        left, right = sorted((draw(edge), draw(edge)))
        mask[top:bottom, left:right] = value
    density = draw(st.sampled_from([0.0, 0.0, 0.001, 0.1, 0.5]))
    noise = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).random(mask.shape) < density
    flipped: Masks = mask ^ noise
    return flipped
