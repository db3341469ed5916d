"""How sure a mean over so many images is: 95 % of the means of resampled images lie in the interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from containers.salt.metric import Scores

REPLICATES = 2000
FEWEST = 5  # images that an interval needs; resampling fewer tells too little of how they spread
CHUNK = 100  # replicates at once, so that memory does not grow with them


def measures(scores: Mapping[str, Scores], seed: int = 0) -> dict[str, dict[str, Any]]:
    """What the report shows of each mean AP; all are of the same images, which are resampled for all alike."""
    names = list(scores)
    columns = np.stack([scores[name] for name in names], axis=1)
    means = columns.mean(axis=0) if len(columns) else np.full(len(names), np.nan)
    lows, highs = interval(columns, seed)
    found = {}
    for name, mean, low, high in zip(names, means, lows, highs, strict=True):
        value, bounds = _finite(mean), (_finite(low), _finite(high))
        found[name] = {"ap": value, "low": bounds[0], "high": bounds[1], "cases": len(columns)}
    return found


def interval(columns: Scores, seed: int = 0) -> tuple[Scores, Scores]:
    """Of the mean of each column (n, k); not a number where there are too few rows."""
    count, width = columns.shape
    if count < FEWEST:
        return np.full(width, np.nan), np.full(width, np.nan)
    random = np.random.default_rng(seed)
    shares = np.full(count, 1 / count)
    means = [random.multinomial(count, shares, CHUNK) @ columns / count for _ in range(REPLICATES // CHUNK)]
    low, high = np.percentile(np.concatenate(means), [2.5, 97.5], axis=0)
    return low, high


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
