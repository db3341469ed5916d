"""The threshold and the least size that score best on predictions of images that no network was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from containers.salt.metric import of_all
from containers.salt.postprocess import Cleaning, all_or_nothing, clean

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
    if not (len(probabilities) and thresholds and least):
        raise ValueError("there is nothing to tune on")
    rows = []
    for threshold in sorted(thresholds):
        masks = clean(probabilities, replace(start, threshold=threshold, least=0))
        if salt is not None:
            masks &= salt[:, None, None]
        for size in sorted(least):
            score = float(of_all(truths, all_or_nothing(masks, size)).mean())
            rows.append(Row(threshold, size, score))
    best = _best(rows)
    return Tuned(replace(start, threshold=best.threshold, least=best.least), best.score, tuple(rows))


def _best(rows: Sequence[Row]) -> Row:
    highest = max(row.score for row in rows)
    smallest = min(row.least for row in rows if np.isclose(row.score, highest, rtol=0, atol=1e-12))
    equal = [row for row in rows if row.least == smallest and np.isclose(row.score, highest, rtol=0, atol=1e-12)]
    return equal[(len(equal) - 1) // 2]
