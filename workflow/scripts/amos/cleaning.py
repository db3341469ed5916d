"""Learn from the folds' predictions which components of an organ are too small to be the organ.

For each organ a least volume is sought, below which a component becomes background. It must raise the mean DSC of the
cases that no fold had learnt from, must make it worse in no fold, and stays below the smallest that the organ ever was,
so that it cannot take away one that is merely small. Where nothing is gained it is 0: all is kept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

GAIN = 1e-6  # of the mean DSC; less is rounding
Part = tuple[int, int, int]  # voxels of a component, how many components have so many, and how many of theirs are right


@dataclass(frozen=True)
class Seen:
    """One organ as it was predicted in one case."""

    fold: int
    voxel_mm3: float
    truth: int  # voxels that the organ has
    parts: tuple[Part, ...]

    def dsc(self, least_mm3: float = 0.0) -> float | None:
        """After the removal of smaller components; None where neither truth nor prediction is left."""
        kept = [part for part in self.parts if part[0] * self.voxel_mm3 >= least_mm3]
        predicted = sum(voxels * count for voxels, count, _ in kept)
        if self.truth + predicted == 0:
            return None
        return 2 * sum(right for _, _, right in kept) / (self.truth + predicted)


@dataclass(frozen=True)
class Rule:
    """What was learnt of one organ; the DSC are means over the cases that taught it, so that `after` flatters."""

    min_volume_mm3: float
    before: float | None
    after: float | None


def learn(organs: Mapping[int, Sequence[Seen]]) -> dict[int, Rule]:
    return {organ: rule(cases) for organ, cases in organs.items()}


def rule(cases: Sequence[Seen]) -> Rule:
    """Thresholds are whole mm³: the smallest that removes what it removes."""
    before = mean(cases, 0.0)
    smallest = min((case.truth * case.voxel_mm3 for case in cases if case.truth), default=0.0)
    volumes = {voxels * case.voxel_mm3 for case in cases for voxels, _, _ in case.parts}
    candidates = sorted({float(math.floor(volume) + 1) for volume in volumes})
    best, best_mean = 0.0, before
    for least in candidates:
        if least >= smallest:
            break
        after = mean(cases, least)
        if before is None or best_mean is None or after is None or after <= best_mean + GAIN:
            continue
        if _worse_somewhere(cases, least):
            continue
        best, best_mean = least, after
    return Rule(best, before, best_mean)


def mean(cases: Sequence[Seen], least_mm3: float) -> float | None:
    """As the metric counts: over the cases of which something can be said."""
    known = [value for case in cases if (value := case.dsc(least_mm3)) is not None]
    return fmean(known) if known else None


def _worse_somewhere(cases: Sequence[Seen], least_mm3: float) -> bool:
    for fold in {case.fold for case in cases}:
        own = [case for case in cases if case.fold == fold]
        before, after = mean(own, 0.0), mean(own, least_mm3)
        if before is not None and after is not None and after < before - GAIN:
            return True
    return False
