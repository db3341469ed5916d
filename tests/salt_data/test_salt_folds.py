"""The folds: every image in one, all kinds in each, the same for the same seed."""

from __future__ import annotations

import warnings
from collections import Counter

import pytest

from containers.kit.errors import UserError
from workflow.scripts.salt.folds import folds, kind, merged

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
