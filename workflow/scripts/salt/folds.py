"""Which images each fold is judged by; images with like shares of salt are spread alike."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from sklearn.model_selection import StratifiedKFold

from containers.kit.errors import UserError

TENTHS = 10


def folds(coverages: Sequence[float], number: int, seed: int) -> list[int]:
    """The fold, from 0, that each image is judged in."""
    count = len(coverages)
    if not 2 <= number <= count:
        raise UserError(f"train.folds is {number}, but there are {count} training images; set 2 to {count}")
    classes = merged([kind(one) for one in coverages], number)
    found = [0] * count
    parts = StratifiedKFold(number, shuffle=True, random_state=seed).split(np.zeros(count), classes)
    for fold, (_, judged) in enumerate(parts):
        for index in judged:
            found[index] = fold
    return found


def kind(coverage: float) -> int:
    """0 without salt, else which tenth: 1 up to a tenth, 10 up to full."""
    if not 0 <= coverage <= 1:
        raise ValueError(f"a share of salt of {coverage}")
    return math.ceil(round(TENTHS * coverage, 9)) or int(coverage > 0)


def merged(kinds: Sequence[int], least: int) -> list[int]:
    """The same classes, where one with fewer images than `least` joins the nearest, one with salt if any is left."""
    counts = Counter(kinds)
    name = {one: one for one in counts}
    while len(counts) > 1 and min(counts.values()) < least:
        thin = min(counts, key=lambda one: (counts[one], one))
        others = sorted((one for one in counts if one != thin), key=lambda one: (not one, abs(one - thin), one))
        into = others[0]
        counts[into] += counts.pop(thin)
        name = {one: into if now == thin else now for one, now in name.items()}
    return [name[one] for one in kinds]
