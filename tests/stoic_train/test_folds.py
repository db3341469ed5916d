"""Folds: every case once, both classes among positives, the same for a seed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from containers.kit.errors import UserError
from containers.stoic.data import Case
from containers.stoic.folds import split, stratum


def cases(negative: int, mild: int, severe: int) -> list[Case]:
    labels = [(0, 0)] * negative + [(1, 0)] * mild + [(1, 1)] * severe
    return [Case(7 * i, covid, bad, None, None, Path("none")) for i, (covid, bad) in enumerate(labels)]


@given(st.integers(0, 40), st.integers(3, 40), st.integers(3, 40), st.integers(2, 5), st.integers(0, 99))
def test_every_case_is_in_one_place(negative: int, mild: int, severe: int, folds: int, seed: int) -> None:
    everyone = cases(negative, mild, severe)
    found = split(everyone, folds, 0.2, seed)
    ids = [case.id for part in (*found.folds, found.holdout) for case in part]
    assert sorted(ids) == [case.id for case in everyone]
    sizes = [len(part) for part in found.folds]
    assert max(sizes) - min(sizes) <= 1
    for name in ("severe", "mild", "negative"):
        counts = [sum(stratum(case) == name for case in part) for part in found.folds]
        assert max(counts) - min(counts) <= 1, "each stratum is spread evenly"
    for fold in range(folds):
        seen = {case.id for case in found.training(fold)}
        assert not seen & {case.id for case in (*found.folds[fold], *found.holdout)}
        assert len(seen) + len(found.folds[fold]) + len(found.holdout) == len(everyone)


def test_balance_of_the_real_data() -> None:
    found = split(cases(795, 904, 301), 5, 0.15, 2021)
    assert Counter(map(stratum, found.holdout)) == {"negative": 119, "mild": 136, "severe": 45}
    assert [Counter(map(stratum, part))["severe"] for part in found.folds] == [52, 51, 51, 51, 51]
    assert found.notes == ()


def test_seed_decides() -> None:
    everyone = cases(10, 10, 10)
    first, again, other = (split(everyone, 3, 0.2, seed) for seed in (1, 1, 2))
    assert first == again
    assert split(everyone[::-1], 3, 0.2, 1) == first, "the order of the cases does not"
    assert first.holdout != other.holdout


def test_too_few_severe_cases_are_noted() -> None:
    found = split(cases(9, 9, 2), 3, 0.0, 1)
    assert found.notes == (
        "fold 2 has no severe case to be judged by (2 for 3 folds), so its best epoch is the one with the smallest "
        "loss; lower train.folds for an AUC in each",
    )


@pytest.mark.parametrize(
    ("folds", "holdout", "said"),
    [
        (1, 0.1, "train.folds is 1; it must be at least 2"),
        (3, 1.0, "train.holdout is 1.0; it is a share"),
        (5, 0.5, "train.folds is 5 but 3 cases are left of 6 after train.holdout; lower one of them"),
    ],
)
def test_impossible_splits(folds: int, holdout: float, said: str) -> None:
    with pytest.raises(UserError) as error:
        split(cases(2, 2, 2), folds, holdout, 1)
    assert said in str(error.value)
