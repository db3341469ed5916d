"""The score of an image."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.salt import metric
from containers.salt.rle import SIZE, Masks
from tests.salt_core import slow

EMPTY = np.zeros((SIZE, SIZE), np.bool_)
FULL = np.ones((SIZE, SIZE), np.bool_)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(slow.masks(), slow.masks()), min_size=1, max_size=3))
def test_as_by_sets_of_pixels_in_fractions(pairs: list[tuple[Masks, Masks]]) -> None:
    truths, predictions = (np.array(each) for each in zip(*pairs, strict=True))
    expected = [slow.average_precision(*pair) for pair in pairs]
    scores = metric.of_all(truths, predictions)
    assert scores.tolist() == [float(each) for each in expected]
    assert [metric.average_precision(*pair) for pair in pairs] == scores.tolist()


@pytest.mark.parametrize("twentieths", range(10, 21))
@pytest.mark.parametrize("beside", [-1, 0, 1])
def test_an_overlap_on_a_threshold_does_not_exceed_it(twentieths: int, beside: int) -> None:
    whole = 2000
    part = whole * twentieths // 20 + beside
    truth, predicted = slow.first_pixels(whole), slow.first_pixels(part)
    hits = sum(Fraction(min(part, whole), max(part, whole)) > Fraction(step, 20) for step in range(10, 20))
    assert metric.average_precision(truth, predicted) == hits / 10
    assert metric.average_precision(predicted, truth) == hits / 10


def test_known_values_around_a_threshold() -> None:
    assert metric.average_precision(slow.first_pixels(100), slow.first_pixels(50)) == 0.0
    assert metric.average_precision(slow.first_pixels(100), slow.first_pixels(51)) == 0.1
    assert metric.average_precision(slow.first_pixels(100), slow.first_pixels(60)) == 0.2
    assert metric.average_precision(slow.first_pixels(100), slow.first_pixels(95)) == 0.9
    assert metric.average_precision(slow.first_pixels(100), slow.first_pixels(96)) == 1.0


def test_the_empty_cases() -> None:
    truths, predictions = np.array([EMPTY, EMPTY, FULL, FULL]), np.array([EMPTY, FULL, EMPTY, FULL])
    assert metric.of_all(truths, predictions).tolist() == [1.0, 0.0, 0.0, 1.0]


@pytest.mark.parametrize("rows", [80, SIZE])
def test_nothing_predicted_where_most_is_salt_scores_nothing(rows: int) -> None:
    """Histograms of two bins without a range give .6 for 80 rows, and 1 for all of them."""
    truth = EMPTY.copy()
    truth[:rows] = True
    assert metric.average_precision(truth, EMPTY) == 0.0


def test_ten_thresholds_and_chunks_that_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [threshold / metric.PARTS for threshold in metric.THRESHOLDS] == [
        0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95,
    ]  # fmt: skip
    truths = np.array([slow.first_pixels(count) for count in (0, 10, 100, 1000, 10201)])
    predictions = np.array([slow.first_pixels(count) for count in (1, 9, 80, 650, 6000)])
    whole = metric.of_all(truths, predictions).tolist()
    monkeypatch.setattr(metric, "CHUNK", 2)
    assert metric.of_all(truths, predictions).tolist() == whole == [0.0, 0.8, 0.6, 0.3, 0.2]


def test_none_at_all_and_masks_that_do_not_fit() -> None:
    assert metric.of_all(np.zeros((0, SIZE, SIZE), np.bool_), np.zeros((0, SIZE, SIZE), np.bool_)).tolist() == []
    with pytest.raises(ValueError, match=r"masks of \(1, 101, 101\) and \(2, 101, 101\)"):
        metric.of_all(FULL[None], np.array([FULL, FULL]))
