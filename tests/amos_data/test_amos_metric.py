"""DSC and NSD against values worked out by hand, against the whole images, and where an organ is not there."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from surface_distance import compute_surface_dice_at_tolerance, compute_surface_distances

from containers.amos.organs import ORGANS
from workflow.scripts.amos.metric import OrganScore, measure, summary

SPACING = (2.0, 3.0, 5.0)
NONE = OrganScore(None, None, 0.0, 0.0)


def box(shape: tuple[int, int, int], start: tuple[int, int, int], size: int, organ: int = 6) -> np.ndarray[Any, Any]:
    labels = np.zeros(shape, np.uint8)
    labels[tuple(slice(first, first + size) for first in start)] = organ
    return labels


def test_the_same_is_1_and_volumes_are_in_mm3() -> None:
    labels = box((20, 20, 20), (3, 4, 5), 4)
    scores = measure(labels, labels, SPACING, 1.0)
    assert set(scores) == set(ORGANS)
    assert scores[6] == OrganScore(1.0, 1.0, 64 * 30.0, 64 * 30.0)
    assert all(score == NONE for organ, score in scores.items() if organ != 6)


def test_a_box_that_is_one_voxel_off_scores_what_it_does_by_hand() -> None:
    """Of 4 x 4 x 4 voxels 3 x 4 x 4 are common; a surface 1 mm off is within 1 mm, and not within half of one."""
    truth, prediction = box((20, 20, 20), (3, 4, 5), 4), box((20, 20, 20), (4, 4, 5), 4)
    score = measure(truth, prediction, (1.0, 1.0, 1.0), 1.0)[6]
    assert score.dsc == pytest.approx(2 * 48 / 128)
    assert score.nsd == pytest.approx(1.0)
    assert measure(truth, prediction, (1.0, 1.0, 1.0), 0.5)[6].nsd < 0.7  # type: ignore[operator]
    assert measure(truth, prediction, (3.0, 1.0, 1.0), 1.0)[6].nsd < 1.0  # type: ignore[operator]


def test_the_nsd_of_two_plates_is_the_share_of_the_near_surface() -> None:
    """A wide plate of 2 voxels against one of 3: one side agrees, the other is a voxel off; the rim hardly counts."""
    truth, prediction = np.zeros((8, 102, 102), np.uint8), np.zeros((8, 102, 102), np.uint8)
    truth[2:4, 1:101, 1:101] = prediction[2:5, 1:101, 1:101] = 1
    score = measure(truth, prediction, (1.0, 1.0, 1.0), 0.5)[1]
    assert score.nsd == pytest.approx(0.5, abs=0.03)
    assert score.dsc == pytest.approx(2 * 2 / 5)


def test_apart_is_0() -> None:
    score = measure(box((30, 30, 30), (2, 2, 2), 4), box((30, 30, 30), (20, 20, 20), 4), SPACING, 1.0)[6]
    assert (score.dsc, score.nsd) == (0.0, 0.0)


def test_an_organ_in_only_one_of_the_two_is_0_and_one_in_neither_is_left_out() -> None:
    empty, there = np.zeros((9, 9, 9), np.uint8), box((9, 9, 9), (2, 2, 2), 3)
    assert measure(there, empty, SPACING, 1.0)[6] == OrganScore(0.0, 0.0, 27 * 30.0, 0.0)
    assert measure(empty, there, SPACING, 1.0)[6] == OrganScore(0.0, 0.0, 0.0, 27 * 30.0)
    assert set(measure(empty, empty, SPACING, 1.0).values()) == {NONE}


@pytest.mark.parametrize("tolerance", [0.0, 1.0, 2.5])
def test_the_crop_changes_nothing(tolerance: float) -> None:
    """The measures of the whole image, with organs that touch its sides and each other."""
    noise = [gaussian_filter(np.random.default_rng(seed).standard_normal((24, 30, 18)), 3) for seed in (0, 1)]
    fields = [noise[0], noise[0] + 0.3 * noise[1]]
    steps = np.linspace(-1.5, 1.5, 15) * noise[0].std()
    truth, prediction = (np.digitize(field, steps).astype(np.uint8) for field in fields)
    scores = measure(truth, prediction, SPACING, tolerance)
    assert all(score.dsc for score in scores.values())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for organ, score in scores.items():
            there, found = truth == organ, prediction == organ
            distances = compute_surface_distances(there, found, SPACING)
            assert score.nsd == pytest.approx(compute_surface_dice_at_tolerance(distances, tolerance), abs=1e-12)
            assert score.dsc == pytest.approx(2 * (there & found).sum() / (there.sum() + found.sum()), abs=1e-12)


def test_the_order_of_the_axes_is_no_matter() -> None:
    rng = np.random.default_rng(0)
    truth, prediction = (gaussian_filter(rng.standard_normal((12, 14, 16)), 2) > 0 for _ in range(2))
    one = measure(truth.astype(np.uint8), prediction.astype(np.uint8), SPACING, 3.0)[1]
    other = measure(truth.T[::-1].astype(np.uint8), prediction.T[::-1].astype(np.uint8), SPACING[::-1], 3.0)[1]
    assert one.dsc == other.dsc
    assert one.nsd == pytest.approx(other.nsd, abs=1e-9)


def scored(**organs: float) -> dict[int, OrganScore]:
    given = {int(name[1:]): value for name, value in organs.items()}
    return {organ: OrganScore(given[organ], given[organ], 1, 1) if organ in given else NONE for organ in ORGANS}


def test_the_mean_of_organs_is_over_the_cases_of_each_first() -> None:
    rows = summary([scored(o1=1.0, o2=0.5), scored(o1=0.0)], "dsc")
    assert list(rows)[:3] == ["mean of organs", "mean of cases", "spleen"]
    assert rows["spleen"] == {"dsc": 0.5, "low": None, "high": None, "cases": 2}
    assert (rows["right kidney"]["dsc"], rows["right kidney"]["cases"]) == (0.5, 1)
    assert rows["right kidney"]["note"] == "in neither truth nor prediction of 1 case, left out"
    assert (rows["liver"]["dsc"], rows["liver"]["cases"]) == (None, 0)
    assert rows["liver"]["note"] == "in neither truth nor prediction of 2 cases, left out"
    assert rows["mean of organs"]["dsc"] == pytest.approx((0.5 + 0.5) / 2)
    assert rows["mean of cases"]["dsc"] == pytest.approx((0.75 + 0.0) / 2)
    assert rows["mean of organs"]["cases"] == 2


def test_an_interval_is_that_of_resampled_cases() -> None:
    """Of 40 cases half are 1 and half 0: the mean of a resample is binomial."""
    rows = summary([scored(o1=float(case % 2)) for case in range(40)], "nsd")
    low, high = rows["spleen"]["low"], rows["spleen"]["high"]
    spread = 1.96 * math.sqrt(0.25 / 40)
    assert (low, high) == (pytest.approx(0.5 - spread, abs=0.03), pytest.approx(0.5 + spread, abs=0.03))
    assert (rows["mean of organs"]["low"], rows["mean of organs"]["high"]) == (low, high)
    assert summary([scored(o1=float(case % 2)) for case in range(40)], "nsd") == rows


def test_few_cases_have_no_interval_and_none_at_all_no_value() -> None:
    assert summary([scored(o1=0.5)] * 4, "dsc")["spleen"]["low"] is None
    assert summary([scored(o1=0.5)] * 5, "dsc")["spleen"]["low"] == pytest.approx(0.5)
    assert summary([scored()] * 5, "dsc")["mean of organs"]["dsc"] is None
