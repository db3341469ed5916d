"""The dense CRF of the original pipeline: neighbouring pixels pull each other to the same side, whatever they show.

Of the CRF only the spatial term is in use, exp(-d² / 2σ²) between any two pixels. Over a grid that is one factor down
the columns times one along the rows, so that mean field needs two products with a matrix of 101 x 101 a round: exact,
where the usual programs approximate. The kernel is normalised on both sides by the root of its sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
CHUNK = 64  # images at once, so that their numbers stay in the cache


@dataclass(frozen=True)
class Crf:
    sigma: float = 3.0  # pixels
    compat: float = 3.0  # what it costs to differ from one's neighbours
    certainty: float = 0.7  # how far a mask is believed, of 0.5 to 1
    rounds: int = 10

    def __post_init__(self) -> None:
        if not 0.5 < self.certainty < 1:
            raise ValueError(f"certainty {self.certainty} is not between 0.5 and 1")


def refine(masks: Array, crf: Crf) -> Array:
    """The masks (n, h, w) after mean field; each image by itself."""
    energy = np.float32(np.log(crf.certainty / (1 - crf.certainty)))
    refined = np.empty(masks.shape, bool)
    for first in range(0, len(masks), CHUNK):
        some = slice(first, first + CHUNK)
        refined[some] = logits(np.where(masks[some], energy, -energy), crf) > 0
    return refined


def logits(unary: Array, crf: Crf) -> Array:
    """What mean field makes of the log odds (n, h, w) of each pixel alone; in their precision."""
    down, across = (_kernel(side, crf.sigma, unary.dtype) for side in unary.shape[1:])
    odds = unary
    for _ in range(crf.rounds):
        # tanh(odds / 2) is the probability of salt less that of none.
        odds = unary + crf.compat * (down @ np.tanh(odds / 2) @ across)
    return odds


def _kernel(side: int, sigma: float, kind: np.dtype[Any]) -> Array:
    places = np.arange(side)
    kernel = np.exp(-0.5 * ((places[:, None] - places) / sigma) ** 2)
    roots = 1 / np.sqrt(kernel.sum(axis=1))
    kernel = roots[:, None] * kernel * roots
    # Far pixels count for less than rounding, and numbers so small take a processor many times as long.
    return np.where(kernel < np.finfo(kind).eps ** 2, 0, kernel).astype(kind)
