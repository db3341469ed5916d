"""The folds: every image in one, all kinds in each, the same for the same seed; and what is held out."""

from __future__ import annotations

import warnings
from collections import Counter

import numpy as np
import pytest

from containers.kit.errors import UserError
from workflow.scripts.salt.folds import folds, folds_by_id, holdout, holdout_by_id, kind, merged

COVERAGES = [0.0] * 154 + [1.0] * 9 + [(index % 97 + 1) / 100 for index in range(237)]


def test_classes_are_none_then_tenths() -> None:
    values = [0, 1 / 10201, 0.1, 0.1001, 0.3, 0.7, 0.9, 0.9001, 1.0]
    assert [kind(value) for value in values] == [0, 1, 1, 2, 3, 7, 9, 10, 10]
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="a share of salt of"):
            kind(wrong)


@pytest.mark.parametrize("number", [2, 4, 10])
def test_every_fold_has_as_many_of_each_kind(number: int) -> None:
    of = folds(COVERAGES, number, 1)
    assert len(of) == len(COVERAGES)
    assert set(of) == set(range(number))
    sizes = Counter(of).values()
    assert max(sizes) - min(sizes) <= 1
    for one in range(11):
        count = Counter(fold for fold, coverage in zip(of, COVERAGES, strict=True) if kind(coverage) == one)
        assert max(count[fold] for fold in range(number)) - min(count[fold] for fold in range(number)) <= 1


def test_a_seed_decides_the_folds() -> None:
    assert folds(COVERAGES, 5, 1) == folds(COVERAGES, 5, 1)
    assert folds(COVERAGES, 5, 1) != folds(COVERAGES, 5, 2)


def test_the_order_of_the_images_does_not_matter() -> None:
    named = {f"{index * 7919 % 65536:010x}": coverage for index, coverage in enumerate(COVERAGES)}
    turned = dict(reversed(named.items()))
    assert list(named) != list(turned)
    assert folds_by_id(named, 5, 3) == folds_by_id(turned, 5, 3)
    assert holdout_by_id(named, 0.1, 3) == holdout_by_id(turned, 0.1, 3)
    assert set(folds_by_id(named, 5, 3)) == set(named)
    assert sum(holdout_by_id(named, 0.1, 3).values()) == 40


def test_few_images_of_a_kind_join_their_neighbours() -> None:
    assert merged([0, 0, 0, 1, 1, 1, 2, 9, 10, 10], 3) == [0, 0, 0, 1, 1, 1, 1, 10, 10, 10]
    assert merged([0, 1, 2, 3], 2) == [1, 1, 1, 1]
    assert merged([0, 0, 1, 8, 8], 2) == [0, 0, 8, 8, 8]
    assert merged([0, 0, 5, 5, 7], 2) == [0, 0, 5, 5, 5]
    assert merged([0, 5, 5], 2) == [5, 5, 5]
    assert merged([4], 3) == [4]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        of = folds([0.0, 0.0, 0.0, 0.05, 0.5, 0.95, 1.0], 3, 1)
    assert sorted(Counter(of).values()) == [2, 2, 3]
    assert {of[0], of[1], of[2]} == {0, 1, 2}


@pytest.mark.parametrize("number", [0, 1, 5])
def test_folds_that_cannot_be_are_refused(number: int) -> None:
    with pytest.raises(UserError) as refused:
        folds([0.0, 0.1, 0.2, 0.3], number, 1)
    assert str(refused.value) == f"train.folds is {number}, but there are 4 training images; set 2 to 4"


@pytest.mark.parametrize("share", [0.05, 0.1, 0.25, 0.5])
def test_what_is_held_out_is_like_the_rest(share: float) -> None:
    held = holdout(COVERAGES, share, 1)
    assert sum(held) == round(share * len(COVERAGES))
    for one in range(11):
        of_kind = [taken for taken, coverage in zip(held, COVERAGES, strict=True) if kind(coverage) == one]
        assert abs(sum(of_kind) - share * len(of_kind)) <= 1
    assert held == holdout(COVERAGES, share, 1)
    assert held != holdout(COVERAGES, share, 2)
    assert np.mean([holdout(COVERAGES, share, seed) for seed in range(60)], axis=0).max() < min(1.0, 4 * share)


def test_both_sides_of_a_holdout_have_an_image() -> None:
    assert sum(holdout([0.0, 0.5], 0.01, 1)) == 1
    assert sum(holdout([0.0, 0.5], 0.99, 1)) == 1
    for coverages, share in (([0.0, 0.5], 0.0), ([0.0, 0.5], 1.0), ([0.5], 0.5)):
        with pytest.raises(UserError) as refused:
            holdout(coverages, share, 1)
        assert str(refused.value) == (
            f"train.holdout is {share} of {len(coverages)} training images; set it between 0 and 1, and have two"
        )
