"""What to learn from and what to be judged by: the user's percentages, equal in every run, labels in both parts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from cvat_xml import DataError
from sklearn.model_selection import train_test_split

T = TypeVar("T")
TRAIN, TEST = "train-split", "test-split"
SHARES = {TRAIN: 0.8, TEST: 0.2}
SEED = 42
TINY = 1e-9  # 0.1 + 0.2 is more than 0.3


def split(items: Sequence[T], labels: Sequence[Sequence[str]], config: Mapping[str, Any]) -> tuple[list[T], list[T]]:
    """`labels` are those of each item. Items that neither percentage takes are left out."""
    train, test = counts(len(items), config)
    if not test:
        kept = train_test_split(list(items), train_size=train, random_state=SEED)[0] if train < len(items) else items
        return sorted(kept, key=list(items).index), []
    groups = strata(labels, min(train, test))
    parts = train_test_split(
        range(len(items)), train_size=train, test_size=test, random_state=SEED, stratify=groups or None
    )
    first, second = (sorted(part) for part in parts)
    return [items[index] for index in first], [items[index] for index in second]


def counts(total: int, config: Mapping[str, Any]) -> tuple[int, int]:
    """How many to learn from, and how many to be judged by."""
    shares = {}
    for key, default in SHARES.items():
        value = config.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise DataError(f"train_config.json: {key} is {value!r}; give a number from 0 to 1")
        shares[key] = value
    if sum(shares.values()) > 1 + TINY:
        raise DataError(f"train_config.json: {TRAIN} and {TEST} are {sum(shares.values()):g} together; stay within 1")
    train = math.floor(shares[TRAIN] * total + TINY)
    test = min(math.ceil(shares[TEST] * total - TINY), total - train)
    if train < 1 or (shares[TEST] and test < 1):
        part = TRAIN if train < 1 else TEST
        raise DataError(f"train_config.json: {part} {shares[part]:g} of {total} annotated pictures is none; raise it")
    return train, test


def strata(labels: Sequence[Sequence[str]], smaller: int) -> list[str]:
    """A group for each item, by the rarest of its labels; empty where groups cannot be kept apart.

    A group of one joins the largest one, since it cannot be in both parts.
    """
    frequent = Counter(label for of_one in labels for label in set(of_one))
    groups = [min(set(of_one), key=lambda label: (frequent[label], label), default="") for of_one in labels]
    sizes = Counter(groups)
    largest = max(sizes, key=lambda group: (sizes[group], group))
    groups = [group if sizes[group] > 1 else largest for group in groups]
    sizes = Counter(groups)
    return groups if 1 < len(sizes) <= smaller and min(sizes.values()) > 1 else []
