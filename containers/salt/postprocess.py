"""From probabilities to masks: a threshold, the CRF where it is wanted, the removal of what is too small."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from containers.salt.crf import Crf, refine
from containers.salt.rle import PIXELS

Array = np.ndarray[Any, Any]
# Across images nothing is connected. Pixels of salt that share a corner are; a hole is closed by such pixels.
CORNERS = np.stack([np.zeros((3, 3)), np.ones((3, 3)), np.zeros((3, 3))]).astype(bool)
SIDES = np.stack([np.zeros((3, 3)), ndimage.generate_binary_structure(2, 1), np.zeros((3, 3))]).astype(bool)
CHUNK = 1024


@dataclass(frozen=True)
class Cleaning:
    """What is done to masks, in this order; sizes in pixels, 0 does nothing."""

    threshold: float = 0.5
    crf: Crf | None = None
    component: int = 0  # parts of salt smaller than this are removed
    hole: int = 0  # holes smaller than this are filled
    least: int = 0  # less salt than this in an image is none
    full: int = 0  # more salt than this in an image is an image full of it

    def __post_init__(self) -> None:
        if not 0 <= self.threshold < 1:
            raise ValueError(f"threshold {self.threshold} is not between 0 and 1")
        if self.full and self.full >= PIXELS:
            raise ValueError(
                f"full {self.full} is never exceeded, as an image has {PIXELS} pixels; 0 leaves images as they are"
            )


def clean(probabilities: Array, cleaning: Cleaning) -> Array:
    """Masks (n, h, w) of probabilities (n, h, w) of salt."""
    masks = probabilities > cleaning.threshold
    if cleaning.crf:
        masks = refine(masks, cleaning.crf)
    masks = remove_small(masks, cleaning.component)
    masks = fill_holes(masks, cleaning.hole)
    return all_or_nothing(masks, cleaning.least, cleaning.full)


def probabilities_of(logits: Array) -> Array:
    """Without overflow, however large the logits are."""
    halves = np.tanh(np.asarray(logits, np.float32) / 2)
    return np.asarray((halves + 1) / 2)


def remove_small(masks: Array, least: int) -> Array:
    """Without the connected parts of fewer than `least` pixels."""
    return masks & ~_small(masks, least, CORNERS) if least > 1 else masks


def fill_holes(masks: Array, least: int) -> Array:
    """With the holes of fewer than `least` pixels filled; what reaches an image's edge is no hole."""
    return masks | _small(~masks, least, SIDES, inner=True) if least > 1 else masks


def all_or_nothing(masks: Array, least: int, full: int = 0) -> Array:
    """Empty below `least` pixels of salt, and full above `full` of them, where 0 is never."""
    pixels = masks.sum(axis=(1, 2))
    masks = masks & (pixels >= least)[:, None, None]
    return masks | (pixels > full)[:, None, None] if full else masks


def _small(masks: Array, least: int, connected: Array, inner: bool = False) -> Array:
    """The pixels of the parts with fewer than `least` pixels, of those that touch no edge where `inner`."""
    found = np.zeros(masks.shape, bool)
    for first in range(0, len(masks), CHUNK):
        some = masks[first : first + CHUNK]
        numbers, count = ndimage.label(some, connected)
        small = np.bincount(numbers.ravel(), minlength=count + 1) < least
        small[0] = False
        if inner:
            for edge in (numbers[:, 0], numbers[:, -1], numbers[:, :, 0], numbers[:, :, -1]):
                small[edge] = False
        found[first : first + CHUNK] = small[numbers]
    return found
