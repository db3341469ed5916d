"""The challenge's two measures of an organ: DSC, and NSD, the share of its surface that lies within a tolerance.

The organisers average each over the cases of an organ, and then over the organs. How they count an organ that a case
does not have is not known: here a case where neither the truth nor the prediction has it says nothing of it and is left
out, and one where only one of the two has it counts as 0. Their tolerance is not known either, so that it is a setting.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects
from surface_distance import compute_surface_dice_at_tolerance, compute_surface_distances

from containers.amos.organs import LAST, ORGANS

Labels = NDArray[np.integer[Any]]
Name = Literal["dsc", "nsd"]
REPLICATES = 2000
FEWEST = 5  # cases that an interval needs; resampling fewer tells too little of how they spread
MEAN_OF_ORGANS, MEAN_OF_CASES = "mean of organs", "mean of cases"


@dataclass(frozen=True)
class OrganScore:
    """One organ of one case; None where neither the truth nor the prediction has it."""

    dsc: float | None
    nsd: float | None
    truth_mm3: float
    predicted_mm3: float


def measure(truth: Labels, prediction: Labels, spacing: Sequence[float], tolerance: float) -> dict[int, OrganScore]:
    """Every organ of one case; `spacing` is in mm and in the order of the arrays' axes, `tolerance` in mm."""
    voxel = float(np.prod(spacing))
    counts = [np.bincount(labels.ravel(), minlength=LAST + 1) for labels in (truth, prediction)]
    boxes = [find_objects(labels, LAST) for labels in (truth, prediction)]
    scores = {}
    for organ in ORGANS:
        volumes = [int(count[organ]) for count in counts]
        dsc: float | None = None
        nsd: float | None = None
        if any(volumes):
            dsc = nsd = 0.0
        if all(volumes):
            box = _union(boxes[0][organ - 1], boxes[1][organ - 1])
            there, found = truth[box] == organ, prediction[box] == organ
            dsc = 2 * int(np.count_nonzero(there & found)) / sum(volumes)
            nsd = surface_dice(there, found, spacing, tolerance)
        scores[organ] = OrganScore(dsc, nsd, volumes[0] * voxel, volumes[1] * voxel)
    return scores


def surface_dice(
    truth: NDArray[np.bool_], prediction: NDArray[np.bool_], spacing: Sequence[float], tolerance: float
) -> float:
    """NSD of two masks that are not empty, by the package of those who proposed it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it calls scipy by names of old
        distances = compute_surface_distances(truth, prediction, list(spacing))
    return float(compute_surface_dice_at_tolerance(distances, tolerance))


def summary(scores: Sequence[Mapping[int, OrganScore]], name: Name, seed: int = 0) -> dict[str, dict[str, Any]]:
    """The means of a measure with 95 % intervals over resampled cases: over all, and of each organ over its cases.

    Where there are too few cases for an interval it is None.
    """
    values = np.array([[getattr(case[organ], name) for organ in ORGANS] for case in scores], float)  # None becomes NaN
    weights = np.random.default_rng(seed).multinomial(len(values), np.full(len(values), 1 / len(values)), REPLICATES)
    known = np.isfinite(values)
    resampled = _means(values, weights)
    own = _means(values, np.ones((1, len(values))))[0]
    of_cases = _over_rows(values)
    found = {
        MEAN_OF_ORGANS: _row(name, _mean(own), _over_rows(resampled), len(values)),
        MEAN_OF_CASES: _row(name, _mean(of_cases), _means(of_cases[:, None], weights)[:, 0], len(values)),
    }
    for column, organ in enumerate(ORGANS.values()):
        cases = int(known[:, column].sum())
        row = _row(name, _finite(own[column]), resampled[:, column], cases)
        if cases < len(values):
            row["note"] = f"in neither truth nor prediction of {_cases(len(values) - cases)}, left out"
        found[organ] = row
    return found


def _union(one: tuple[slice, ...], other: tuple[slice, ...]) -> tuple[slice, ...]:
    return tuple(slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, other, strict=True))


def _means(values: NDArray[Any], weights: NDArray[Any]) -> NDArray[np.float64]:
    """For each row of `weights`, which says how often a case counts, the mean of each column over its known values."""
    known = np.isfinite(values)
    counts = weights @ known
    sums = weights @ np.where(known, values, 0.0)
    means: NDArray[np.float64] = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    return means


def _over_rows(values: NDArray[Any]) -> NDArray[np.float64]:
    """The mean of what is known in each row."""
    means: NDArray[np.float64] = _means(values.T, np.ones((1, values.shape[1])))[0]
    return means


def _mean(values: NDArray[Any]) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _row(name: Name, value: float | None, resampled: NDArray[Any], cases: int) -> dict[str, Any]:
    low = high = None
    if cases >= FEWEST and np.isfinite(resampled).any():
        low, high = (float(bound) for bound in np.nanpercentile(resampled, [2.5, 97.5]))
    return {name: value, "low": low, "high": high, "cases": cases}


def _cases(count: int) -> str:
    return f"{count} case{'' if count == 1 else 's'}"
