"""Folds: every case judged once, CT and MR spread alike, the same for a seed."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from containers.kit.errors import UserError
from workflow.scripts.amos.folds import split


def cases(ct: int, mr: int) -> dict[str, str]:
    return {f"amos_{n:04d}": "CT" for n in range(1, ct + 1)} | {f"amos_{500 + n:04d}": "MR" for n in range(1, mr + 1)}


@given(st.integers(5, 40), st.integers(0, 30), st.integers(2, 5), st.integers(0, 99))
def test_every_case_is_judged_once_and_modalities_are_spread(ct: int, mr: int, folds: int, seed: int) -> None:
    everyone = cases(ct, mr)
    found, notes = split(everyone, folds, seed)
    assert sorted(case for fold in found for case in fold["val"]) == sorted(everyone)
    for fold in found:
        assert not set(fold["train"]) & set(fold["val"])
        assert len(fold["train"]) + len(fold["val"]) == len(everyone)
    for kind in ("CT", "MR"):
        counts = [sum(everyone[case] == kind for case in fold["val"]) for fold in found]
        assert max(counts) - min(counts) <= 1
    assert len(notes) == (0 < mr < folds)


def test_balance_of_the_real_data() -> None:
    found, notes = split(cases(200, 40), 5, 2022)
    assert notes == []
    assert [Counter(len(case) and int(case[5:]) > 500 for case in fold["val"]) for fold in found] == [
        Counter({False: 40, True: 8})
    ] * 5


def test_seed_decides() -> None:
    everyone = cases(12, 6)
    assert split(everyone, 3, 1) == split(dict(reversed(everyone.items())), 3, 1), "the order of the cases does not"
    assert split(everyone, 3, 1) != split(everyone, 3, 2)


def test_few_cases_are_noted() -> None:
    found, notes = split(cases(9, 2), 3, 1)
    assert notes == ["2 MR cases are spread over 3 folds, so 1 of them are judged without any"]
    assert sum(any(int(case[5:]) > 500 for case in fold["val"]) for fold in found) == 2
    assert len(split(cases(2, 2), 4, 1)[0]) == 4


@pytest.mark.parametrize(("count", "folds"), [(1, 2), (3, 4), (3, 1)])
def test_impossible_splits(count: int, folds: int) -> None:
    with pytest.raises(UserError, match=f"train.folds is {folds}, but there are {count} training cases"):
        split(cases(count, 0), folds, 1)
