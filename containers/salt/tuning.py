"""The threshold and the least size that score best on predictions of images that no network was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from containers.salt.metric import of_all
from containers.salt.postprocess import Cleaning, clean

Array = np.ndarray[Any, Any]
THRESHOLDS = tuple(step / 20 for step in range(4, 17))  # 0.2 to 0.8
LEAST = (0, 20, 40, 80, 120, 160, 240, 320)


@dataclass(frozen=True)
class Row:
    threshold: float
    least: int
    score: float


@dataclass(frozen=True)
class Tuned:
    cleaning: Cleaning
    score: float
    table: tuple[Row, ...]  # of every pair that was tried, in their order

    def as_json(self) -> dict[str, Any]:
        return {"cleaning": asdict(self.cleaning), "score": self.score, "table": [asdict(row) for row in self.table]}


@dataclass(frozen=True)
class Judged:
    """What the masks of one threshold score, and how many pixels of salt they have, image by image."""

    threshold: float
    scores: Array
    pixels: Array


def tune(
    probabilities: Array,
    truths: Array,
    start: Cleaning,
    thresholds: Sequence[float] = THRESHOLDS,
    least: Sequence[int] = LEAST,
    salt: Array | None = None,
) -> Tuned:
    """Choose `threshold` and `least` and take the rest from `start`.

    `salt` (n,) says which images the classifier keeps: the others' masks are empty. Of equal scores the smallest size
    is chosen, and there the threshold in the middle, whose neighbours are as good.
    """
    judged = [judge(probabilities, truths, replace(start, threshold=threshold)) for threshold in sorted(thresholds)]
    true: Array = np.asarray(truths.any(axis=(1, 2)))
    return choose(judged, true, start, least, salt)


def judge(probabilities: Array, truths: Array, cleaning: Cleaning) -> Judged:
    """Masks of every size, whatever `least` says: what is left out for it is for `choose` to find."""
    masks = clean(probabilities, replace(cleaning, least=0))
    return Judged(cleaning.threshold, of_all(truths, masks), masks.sum(axis=(1, 2)))


def choose(
    judged: Sequence[Judged], true: Array, start: Cleaning, least: Sequence[int] = LEAST, salt: Array | None = None
) -> Tuned:
    """The best of what was judged; `true` (n,) says which images have salt, so that no mask of theirs scores."""
    if not (len(true) and judged and least):
        raise ValueError("there is nothing to tune on")
    rows = []
    for one in judged:
        for size in sorted(least):
            left = one.pixels >= size
            scores = np.where(left if salt is None else left & salt, one.scores, ~true)
            rows.append(Row(one.threshold, size, float(scores.mean())))
    best = _best(rows)
    return Tuned(replace(start, threshold=best.threshold, least=best.least), best.score, tuple(rows))


def _best(rows: Sequence[Row]) -> Row:
    highest = max(row.score for row in rows)
    smallest = min(row.least for row in rows if np.isclose(row.score, highest, rtol=0, atol=1e-12))
    equal = [row for row in rows if row.least == smallest and np.isclose(row.score, highest, rtol=0, atol=1e-12)]
    return equal[(len(equal) - 1) // 2]
