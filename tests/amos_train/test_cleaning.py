"""What is learnt from tables of components, on tables whose answer is plain."""

from __future__ import annotations

import numpy as np
import pytest

from containers.amos.components import remove_small
from workflow.scripts.amos.cleaning import Part, Rule, Seen, learn, rule
from workflow.scripts.amos.judge import components


def seen(truth: int, *parts: Part, fold: int = 0, voxel: float = 2.0) -> Seen:
    return Seen(fold, voxel, truth, parts)


def test_the_smallest_threshold_that_removes_the_mistakes() -> None:
    cases = [seen(100, (90, 1, 90), (10, 1, 0)), seen(100, (95, 1, 95), (4, 3, 0), fold=1)]
    found = rule(cases)
    assert found.min_volume_mm3 == 21.0, "the mistakes have up to 20 mm³"
    assert found.before == pytest.approx((2 * 90 / 200 + 2 * 95 / 207) / 2)
    assert found.after == pytest.approx((2 * 90 / 190 + 2 * 95 / 195) / 2)


def test_nothing_is_removed_where_nothing_is_gained() -> None:
    cases = [seen(100, (90, 1, 90), (10, 1, 9))]
    assert rule(cases) == Rule(0.0, 2 * 99 / 200, 2 * 99 / 200)
    assert rule([seen(100, (80, 1, 80))]).min_volume_mm3 == 0.0
    assert rule([]) == Rule(0.0, None, None)


def test_equal_gains_take_the_smaller_threshold() -> None:
    cases = [seen(100, (50, 1, 50), (30, 1, 30), (3, 1, 0))]
    assert rule(cases).min_volume_mm3 == 7.0


def test_the_threshold_stays_below_the_smallest_organ() -> None:
    big = seen(1000, (1000, 1, 1000), (60, 1, 0))
    assert rule([big]).min_volume_mm3 == 121.0
    assert rule([big, seen(60, (60, 1, 60))]).min_volume_mm3 == 0.0, "120 mm³ may be all that there is of it"


def test_what_makes_a_fold_worse_is_not_taken() -> None:
    gain = [seen(1000, (500, 1, 500), (50, 1, 0), fold=0) for _ in range(5)]
    loss = seen(1000, (500, 1, 500), (20, 1, 20), fold=1)
    assert rule([*gain, loss]).min_volume_mm3 == 0.0
    assert rule([*gain, seen(1000, (500, 1, 500), (20, 1, 20), fold=0)]).min_volume_mm3 == 101.0


def test_an_organ_that_a_case_does_not_have() -> None:
    there, absent = seen(500, (500, 1, 500)), seen(0, (7, 1, 0))
    found = rule([there, absent])
    assert found.min_volume_mm3 == 15.0
    assert (found.before, found.after) == (0.5, 1.0), "a case of which nothing is left counts no more"
    assert rule([absent]).min_volume_mm3 == 0.0, "no truth, nothing to learn"


def test_each_organ_has_its_own() -> None:
    found = learn({1: [seen(100, (90, 1, 90), (10, 1, 0))], 2: [seen(100, (90, 1, 90))]})
    assert {organ: one.min_volume_mm3 for organ, one in found.items()} == {1: 21.0, 2: 0.0}


def test_the_container_removes_what_was_counted() -> None:
    """The tables and the container's cleaning must see the same components."""
    random = np.random.default_rng(3)
    found = (random.random((20, 21, 22)) < 0.08).astype(np.uint8) * 6
    found[5:12, 5:12, 5:12] = 6
    there = np.zeros_like(found)
    there[4:12, 5:13, 5:12] = 6
    case = Seen(0, 0.7, int((there == 6).sum()), tuple((a, b, c) for a, b, c in components(found, there)[5]))
    for least in (0.0, 1.0, 2.0, 5.0, 100.0):
        cleaned = found.copy()
        remove_small(cleaned, 0.7, {6: least})
        both = int((cleaned == 6).sum()) + case.truth
        assert case.dsc(least) == pytest.approx(2 * int(((cleaned == 6) & (there == 6)).sum()) / both)
