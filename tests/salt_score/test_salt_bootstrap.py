"""Intervals of means: as wide as they should be, the same each time, and none where there is too little to say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from workflow.scripts.salt import bootstrap
from workflow.scripts.salt.bootstrap import interval, measures


def test_the_interval_is_that_of_the_mean() -> None:
    values = np.random.default_rng(3).normal(0.7, 0.2, (400, 1))
    low, high = interval(values)
    half = 1.96 * float(values.std()) / math.sqrt(400)
    assert float(low[0]) == pytest.approx(float(values.mean()) - half, abs=0.1 * half)
    assert float(high[0]) == pytest.approx(float(values.mean()) + half, abs=0.1 * half)


def test_it_is_the_same_as_resampling_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights of a replicate are how often each image was drawn."""
    monkeypatch.setattr(bootstrap, "CHUNK", 1000)
    values = np.random.default_rng(4).random((7, 2))
    random = np.random.default_rng(5)
    drawn = [random.multinomial(7, [1 / 7] * 7) for _ in range(bootstrap.REPLICATES)]
    means = np.array([values[np.repeat(np.arange(7), counts)].mean(axis=0) for counts in drawn])
    for found, share in zip(interval(values, seed=5), (2.5, 97.5), strict=True):
        np.testing.assert_allclose(found, np.percentile(means, share, axis=0))


def test_equal_scores_leave_nothing_open_and_the_seed_decides() -> None:
    ones = {"both": np.ones(9)}
    assert measures(ones) == {"both": {"ap": 1.0, "low": 1.0, "high": 1.0, "cases": 9}}
    some = {"a": np.linspace(0, 1, 30), "b": np.linspace(0, 1, 30)}
    assert measures(some, 1) == measures(some, 1) != measures(some, 2)
    assert measures(some)["a"] == measures(some)["b"]  # the same images are drawn for all


@pytest.mark.parametrize(("count", "mean"), [(4, 1.0), (0, None)])
def test_few_images_have_no_interval(count: int, mean: float | None) -> None:
    assert measures({"both": np.ones(count)}) == {"both": {"ap": mean, "low": None, "high": None, "cases": count}}
