"""Cleaning by hand-made masks, the CRF against mean field over all pairs of pixels, and the choice of the best."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from containers.kit.errors import UserError
from containers.kit.settings import build
from containers.salt.crf import Crf, logits, refine
from containers.salt.metric import of_all
from containers.salt.postprocess import (
    Cleaning,
    all_or_nothing,
    clean,
    fill_holes,
    probabilities_of,
    remove_small,
)
from containers.salt.tuning import Row, tune

Array = np.ndarray[Any, Any]


def drawn(*pictures: str) -> Array:
    """Masks of pictures in which # is salt."""
    return np.array([[[pixel == "#" for pixel in row] for row in picture.split()] for picture in pictures])


def test_small_parts_are_removed() -> None:
    masks = drawn("##..# ..#.. ..... ##... ##...", "....# ..... ..... ..... .....")
    assert np.array_equal(remove_small(masks, 1), masks)
    # Corners connect: the first part has three pixels. The images do not touch each other.
    assert np.array_equal(
        remove_small(masks, 3), drawn("##... ..#.. ..... ##... ##...", "..... ..... ..... ..... .....")
    )
    assert np.array_equal(
        remove_small(masks, 4), drawn("..... ..... ..... ##... ##...", "..... ..... ..... ..... .....")
    )
    assert not remove_small(masks, 5).any()


def test_small_holes_are_filled() -> None:
    masks = drawn("##### #.#.# ###.# ##### ##.##", "##### ##### ##### ##### #####")
    filled = drawn("##### ###.# ###.# ##### ##.##", "##### ##### ##### ##### #####")
    assert np.array_equal(fill_holes(masks, 1), masks)
    assert np.array_equal(fill_holes(masks, 2), filled)
    # Two of one hole; the gap at the edge is none.
    assert np.array_equal(fill_holes(masks, 3), drawn("##### ##### ##### ##### ##.##", "##### " * 5))
    ring = drawn(".###. #.#.# .###. ..... .....")
    assert np.array_equal(fill_holes(ring, 2), drawn(".###. ##### .###. ..... ....."))


def test_all_or_nothing() -> None:
    masks = drawn("## ##", "## #.", "#. .#", ".. ..")
    assert all_or_nothing(masks, 3).sum(axis=(1, 2)).tolist() == [4, 3, 0, 0]
    assert all_or_nothing(masks, 2, full=2).sum(axis=(1, 2)).tolist() == [4, 4, 2, 0]
    assert all_or_nothing(masks, 0).sum(axis=(1, 2)).tolist() == [4, 3, 2, 0]


def test_cleaning_in_order() -> None:
    """A speck goes before salt is counted, so that it cannot carry an image over the least."""
    probabilities = np.full((2, 101, 101), 0.1)
    probabilities[:, 10:20, 10:20], probabilities[0, 13:15, 13:15], probabilities[1, 50, 50:55] = 0.7, 0.2, 0.9
    probabilities[1, 30:80, 30:80] = np.where(np.arange(50) % 2, 0.6, 0.9)
    found = clean(probabilities, Cleaning(0.5, component=6, hole=5, least=100))
    assert found.sum(axis=(1, 2)).tolist() == [100, 2600]
    assert clean(probabilities, Cleaning(0.5, least=97)).sum(axis=(1, 2)).tolist() == [0, 2600]
    assert clean(probabilities, Cleaning(0.5)).sum(axis=(1, 2)).tolist() == [96, 2600]
    assert clean(probabilities, Cleaning(0.75)).sum(axis=(1, 2)).tolist() == [0, 1250]
    assert clean(probabilities, Cleaning(0.5, full=2500)).sum(axis=(1, 2)).tolist() == [96, 10201]
    smooth = clean(probabilities, Cleaning(0.5, crf=Crf()))
    assert np.array_equal(smooth, refine(probabilities > 0.5, Crf()))
    assert (smooth[0] & ~(probabilities[0] > 0.5)).sum() == 0
    assert 0 < smooth[1, 30:80, 30:80].sum() < 2500


def test_probabilities_of_large_logits() -> None:
    found = probabilities_of(np.array([-1e4, -np.log(3), 0.0, np.log(4), 1e4]))
    assert found.tolist() == pytest.approx([0, 0.25, 0.5, 0.8, 1], abs=1e-6)


@pytest.mark.parametrize("sigma", [1.0, 3.0])
def test_crf_is_mean_field_over_all_pairs(sigma: float) -> None:
    """Two labels, their energies, one matrix over all pairs of pixels, as the method is defined."""
    height, width, crf = 15, 12, Crf(sigma=sigma)
    masks = np.random.default_rng(3).random((4, height, width)) < np.array([0.2, 0.4, 0.5, 0.8])[:, None, None]
    rows, columns = np.divmod(np.arange(height * width), width)
    distance = (rows[:, None] - rows) ** 2 + (columns[:, None] - columns) ** 2
    kernel = np.exp(-distance / (2 * sigma**2))
    norm = 1 / np.sqrt(kernel.sum(axis=1))
    kernel = norm[:, None] * kernel * norm
    for mask in masks:
        unary = np.where(np.stack([~mask.ravel(), mask.ravel()]), -np.log(0.7), -np.log(0.3))
        shares = np.exp(-unary) / np.exp(-unary).sum(axis=0)
        for _ in range(10):
            energy = unary - 3 * shares @ kernel  # agreeing neighbours lower it
            shares = np.exp(-energy) / np.exp(-energy).sum(axis=0)
        found = logits(np.where(mask, 1.0, -1.0)[None] * np.log(0.7 / 0.3), crf)[0]
        assert found.ravel() == pytest.approx(np.log(shares[1] / shares[0]), abs=1e-9)
        assert np.array_equal(refine(mask[None], crf)[0].ravel(), shares.argmax(axis=0) == 1)


def test_crf_smooths_and_leaves_the_clear() -> None:
    masks = np.zeros((4, 101, 101), bool)
    masks[1] = True
    masks[2, :, :50] = True
    masks[3, 40:60, 40:60] = True
    noisy = masks ^ (np.random.default_rng(0).random(masks.shape) < 0.05)
    found = refine(noisy, Crf())
    assert np.array_equal(refine(masks[:3], Crf()), masks[:3])
    assert not found[0].any()
    assert found[1].all()
    assert of_all(masks[2:3], found[2:3])[0] == 1.0
    assert (found[3] ^ masks[3]).sum() < (noisy[3] ^ masks[3]).sum() / 4


def test_crf_treats_every_image_by_itself() -> None:
    masks = np.random.default_rng(1).random((1100, 9, 7)) < 0.4
    together = refine(masks, Crf(sigma=1.5))
    for index in (0, 63, 64, 1099):
        assert np.array_equal(together[index], refine(masks[index : index + 1], Crf(sigma=1.5))[0])
    assert together.any()
    assert not together.all()


def answers() -> tuple[Array, Array]:
    """Three images: sure salt that is best cut at 0.4, one with a false speck of 50 pixels, one with 90 true ones."""
    truths, probabilities = np.zeros((3, 101, 101), bool), np.full((3, 101, 101), 0.05)
    truths[0, :40], truths[2, :9, :10] = True, True
    probabilities[0, :30], probabilities[0, 30:40], probabilities[0, 40:55] = 0.9, 0.45, 0.35
    probabilities[1, 20:25, 20:30] = 0.9
    probabilities[2, :9, :10] = 0.9
    return probabilities, truths


def test_tuning_finds_what_scores_best() -> None:
    probabilities, truths = answers()
    found = tune(probabilities, truths, Cleaning(hole=2), thresholds=(0.5, 0.3, 0.4), least=(80, 0, 40, 120))
    assert found.cleaning == Cleaning(0.4, hole=2, least=80)
    assert found.score == 1.0
    # At 0.3 the first image's overlap is 40 / 55, above five thresholds; at 0.5 30 / 40, which does not exceed 0.75.
    assert found.table[:4] == (
        Row(0.3, 0, 1.5 / 3),
        Row(0.3, 40, 1.5 / 3),
        Row(0.3, 80, 2.5 / 3),
        Row(0.3, 120, 1.5 / 3),
    )
    assert [row.score for row in found.table[4:8]] == pytest.approx([2 / 3, 2 / 3, 1, 2 / 3])
    assert found.table[10] == Row(0.5, 80, 2.5 / 3)
    assert len(found.table) == 12


def test_tuning_takes_the_middle_of_equals() -> None:
    """Every threshold from 0.1 to 0.85 is perfect here."""
    truths = np.zeros((2, 101, 101), bool)
    truths[0, :50] = True
    found = tune(np.where(truths, 0.9, 0.06), truths, Cleaning(), thresholds=(0.05, 0.1, 0.3, 0.5, 0.7, 0.85, 0.95))
    assert found.cleaning == Cleaning(0.5, least=0)
    assert found.score == 1.0


def test_tuning_knows_the_classifiers_word() -> None:
    probabilities, truths = answers()
    keep = np.array([True, False, True])
    found = tune(probabilities, truths, Cleaning(), thresholds=(0.4,), least=(0, 80), salt=keep)
    assert found.cleaning.least == 0
    assert [row.score for row in found.table] == [1.0, 1.0]
    with pytest.raises(ValueError, match="nothing to tune on"):
        tune(probabilities[:0], truths[:0], Cleaning())


def test_what_was_tuned_can_be_read_back() -> None:
    probabilities, truths = answers()
    start = Cleaning(component=4, crf=Crf(sigma=1.0, rounds=3))
    found = tune(probabilities, truths, start, thresholds=(0.4,), least=(80,))
    told = json.loads(json.dumps(found.as_json()))
    assert build(Cleaning, told["cleaning"], "cleaning") == found.cleaning
    assert told["table"] == [{"threshold": 0.4, "least": 80, "score": found.score}]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"threshold": 1.5}, "cleaning.threshold 1.5 is not between 0 and 1"),
        ({"full": 10201}, "cleaning.full 10201 is never exceeded, as an image has 10201 pixels"),
        ({"crf": {"certainty": 0.4}}, "cleaning.crf.certainty 0.4 is not between 0.5 and 1"),
        ({"crf": {"sxy": 3}}, "cleaning.crf.sxy is not a setting"),
    ],
)
def test_wrong_settings_are_one_sentence(values: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as error:
        build(Cleaning, values, "cleaning")
    assert str(error.value).startswith(said)
