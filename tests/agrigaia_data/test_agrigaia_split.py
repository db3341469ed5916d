"""The split: the user's percentages, the same pictures in every run, labels in both parts where it can be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from tests.agrigaia_data import flat

assert flat.COMMON.is_dir()  # and on the path
from cvat_xml import DataError  # noqa: E402
from split import counts, split, strata  # noqa: E402


def test_without_labels_to_keep_apart_it_is_scikit_learns() -> None:
    items = [f"{number:03}.jpg" for number in range(50)]
    train, test = split(items, [["oat"]] * 50, {"train-split": 0.7, "test-split": 0.3})
    expected = train_test_split(items, train_size=0.7, test_size=0.3, random_state=42)
    assert (train, test) == (sorted(expected[0]), sorted(expected[1]))


def test_the_defaults_are_eighty_and_twenty() -> None:
    train, test = split(range(10), [["oat"]] * 10, {})
    assert (len(train), len(test)) == (8, 2)
    assert sorted([*train, *test]) == list(range(10))


def test_a_rare_label_is_in_both_parts() -> None:
    labels = [["oat", "rye"] if number % 10 == 0 else ["oat"] for number in range(100)]
    for share in (0.1, 0.2, 0.5):
        train, test = split(range(100), labels, {"train-split": 1 - share, "test-split": share})
        assert sum(number % 10 == 0 for number in test) == round(10 * share)
        assert len(train) == round(100 * (1 - share))


def test_where_labels_cannot_be_kept_apart_it_is_split_all_the_same() -> None:
    labels = [["oat"], ["oat"], ["rye"], ["rye"], ["beet"], ["maize"]]
    assert strata(labels, 2) == ["oat", "oat", "rye", "rye", "rye", "rye"]  # single ones join the largest
    assert strata(labels, 1) == []
    train, test = split(range(6), labels, {"train-split": 0.8, "test-split": 0.1})
    assert (len(train), len(test)) == (4, 1)


def test_percentages_may_leave_pictures_out_and_have_none_for_the_test() -> None:
    train, test = split(range(20), [["oat"]] * 20, {"train-split": 0.5, "test-split": 0.25})
    assert (len(train), len(test)) == (10, 5)
    assert not set(train) & set(test)
    assert split(range(20), [["oat"]] * 20, {"train-split": 1, "test-split": 0}) == (list(range(20)), [])
    train, test = split(range(20), [["oat"]] * 20, {"train-split": 0.5, "test-split": 0.0})
    assert (len(set(train)), test) == (10, [])


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"train-split": 0.9}, "train-split and test-split are 1.1 together; stay within 1"),
        ({"train-split": "0.8"}, "train-split is '0.8'; give a number from 0 to 1"),
        ({"test-split": -0.1}, "test-split is -0.1; give a number from 0 to 1"),
        ({"test-split": True}, "test-split is True; give a number from 0 to 1"),
        ({"train-split": 0.05}, "train-split 0.05 of 10 annotated pictures is none; raise it"),
    ],
)
def test_percentages_that_cannot_be_are_told(config: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError) as caught:
        counts(10, config)
    assert caught.value.sentence == f"train_config.json: {said}"


def test_one_picture_is_too_few() -> None:
    with pytest.raises(DataError, match=r"train-split 0\.8 of 1 annotated pictures is none; raise it"):
        counts(1, {})


labels = st.lists(st.lists(st.sampled_from("abcd"), max_size=3), min_size=3, max_size=40)


@given(labels, st.integers(1, 9), st.integers(1, 9))
def test_parts_are_apart_and_of_the_sizes_asked_for(of_all: list[list[str]], train: int, test: int) -> None:
    config = {"train-split": train / 10, "test-split": min(test, 10 - train) / 10}
    try:
        sizes = counts(len(of_all), config)
    except DataError:
        return
    first, second = split(range(len(of_all)), of_all, config)
    assert (len(first), len(second)) == sizes
    assert not set(first) & set(second)
    assert (first, second) == split(range(len(of_all)), of_all, config)
    assert abs(len(first) - len(of_all) * train / 10) < 1
