"""The demo's patients: every organ in its place, in one piece, large enough, and different from what surrounds it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from scipy.ndimage import binary_dilation, label

from containers.amos.organs import LABELS, ORGANS
from workflow.scripts.amos.anatomy import NOISE
from workflow.scripts.amos.phantom import SUFFIX, Demo, Patient, patients

LABELLED = [person for person in patients(Demo()) if person.part != "test"]
FEWEST_VOXELS = 25
# (one, other, axis): the one's middle lies farther to the right (x), to the front (y) or to the head (z).
PLACES = [
    ("liver", "stomach", "x"),
    ("liver", "spleen", "x"),
    ("gall bladder", "pancreas", "x"),
    ("right kidney", "postcava", "x"),
    ("postcava", "arota", "x"),
    ("arota", "left kidney", "x"),
    ("right adrenal gland", "left adrenal gland", "x"),
    ("duodenum", "arota", "x"),
    ("pancreas", "spleen", "x"),
    ("pancreas", "arota", "y"),
    ("duodenum", "postcava", "y"),
    ("gall bladder", "right kidney", "y"),
    ("stomach", "spleen", "y"),
    ("esophagus", "arota", "y"),
    ("liver", "right kidney", "z"),
    ("right adrenal gland", "right kidney", "z"),
    ("left adrenal gland", "left kidney", "z"),
    ("esophagus", "stomach", "z"),
    ("liver", "gall bladder", "z"),
    ("pancreas", "duodenum", "z"),
    ("duodenum", "bladder", "z"),
    ("bladder", "prostate/uterus", "y"),
    ("bladder", "prostate/uterus", "z"),
]


@cache
def case(root: Path, person: Patient) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The image, the labels and the affine."""
    image, labels = (
        nib.Nifti1Image.from_filename(root / f"{kind}{SUFFIX[person.part]}" / person.name)
        for kind in ("images", "labels")
    )
    return image.get_fdata(dtype=np.float32), np.asarray(labels.dataobj), image.affine


@pytest.mark.parametrize("person", LABELLED, ids=lambda person: person.name[:9])
def test_every_organ_is_in_its_place(demo: Path, person: Patient) -> None:
    _, labels, affine = case(demo, person)
    middles = {
        name: nib.affines.apply_affine(affine, np.argwhere(labels == number).mean(0))
        for name, number in LABELS.items()
        if (labels == number).any()
    }
    for one, other, axis in PLACES:
        if one in middles and other in middles:
            apart = middles[one]["xyz".index(axis)] - middles[other]["xyz".index(axis)]
            assert apart > 2, f"{one} and {other} along {axis}"
    assert abs(middles["arota"][0]) < 30
    assert middles["spleen"][0] < -70


@pytest.mark.parametrize("person", LABELLED, ids=lambda person: person.name[:9])
def test_organs_are_there_in_one_piece_or_absent_as_they_should_be(demo: Path, person: Patient) -> None:
    _, labels, _ = case(demo, person)
    absent = person.absent | (frozenset() if person.pelvis else {14, 15})
    assert set(np.unique(labels)) == set(range(16)) - absent
    for organ in set(ORGANS) - absent:
        assert label(labels == organ, np.ones((3, 3, 3)))[1] == 1, ORGANS[organ]
        assert np.count_nonzero(labels == organ) >= FEWEST_VOXELS, ORGANS[organ]


def test_some_patients_lack_an_organ_and_no_organ_is_lacking_in_a_part() -> None:
    lacking = [person for person in LABELLED if person.absent or not person.pelvis]
    assert 3 <= len(lacking) < len(LABELLED) / 2
    assert {person.part for person in lacking} == {"training", "validation"}
    assert any(not person.pelvis for person in lacking)


@pytest.mark.parametrize("person", LABELLED, ids=lambda person: person.name[:9])
def test_every_organ_differs_from_what_surrounds_it(demo: Path, person: Patient) -> None:
    """What makes the demo learnable: a threshold would nearly do, if it knew where to look."""
    image, labels, _ = case(demo, person)
    scale = np.median(image[labels == 6]) / (125 if person.modality == "CT" else 520)
    for organ in np.unique(labels)[1:]:
        there = labels == organ
        shell = binary_dilation(there) & ~there
        apart = abs(np.median(image[there]) - np.median(image[shell]))
        assert apart > 2.5 * NOISE[person.modality] * scale, ORGANS[organ]


@pytest.mark.parametrize("person", [one for one in LABELLED if one.modality == "CT"], ids=lambda one: one.name[:9])
def test_ct_organs_have_the_hu_of_theirs(demo: Path, person: Patient) -> None:
    image, labels, _ = case(demo, person)
    expected = {"spleen": 155, "right kidney": 230, "gall bladder": 6, "liver": 125, "stomach": 14, "arota": 295}
    for name, hu in expected.items():
        if (labels == LABELS[name]).any():
            assert np.median(image[labels == LABELS[name]]) == pytest.approx(hu, abs=12 + 0.08 * (hu + 98)), name
    assert 0.02 < np.mean(labels == LABELS["liver"]) < 0.06
