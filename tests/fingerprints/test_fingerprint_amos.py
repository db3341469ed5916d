"""AMOS22's fingerprint: what it tells, and which cases are refused."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from containers.amos.organs import ORGANS
from tests.amos_data.release import AFFINE, labels_of, release, voxels_of, write
from tests.fingerprints.programs import change, counts, fetched, inspected, labels, measures, output, refused

IMAGE, LABEL = "imagesTr/amos_0007.nii.gz", "labelsTr/amos_0007.nii.gz"
ORGANS_TITLE = "Cases with each organ, among those read with a label map"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return release(tmp_path / "amos22")


@pytest.fixture
def manifest(root: Path, tmp_path: Path) -> Path:
    return fetched("amos", root, tmp_path, "--task", "2")


def test_what_the_cases_are(root: Path, tmp_path: Path) -> None:
    ramp = np.arange(8 * 6 * 3, dtype=np.float32).reshape(8, 6, 3)
    write(root / "imagesTr/amos_0507.nii.gz", ramp, np.diag([1.5, -1.25, 4.0, 1.0]))
    spleen = np.zeros((8, 6, 3), np.uint8)
    spleen[2:4] = 1
    write(root / "labelsTr/amos_0507.nii.gz", spleen, np.diag([1.5, -1.25, 4.0, 1.0]))
    content = inspected("amos", fetched("amos", root, tmp_path, "--task", "2"))
    assert counts(content) == {
        "CT cases for training": (2, 200),
        "MR cases for training": (1, 40),
        "CT cases for validation": (2, 100),
        "MR cases for validation": (1, 20),
        "cases for test": (1, 120),
    }
    found = measures(content)
    assert found["CT spacing, z"] == (5, 5, 5, 5)
    assert found["CT size, x"] == (6, 6, 6, 5)
    assert found["MR spacing, x"] == (1.5, 1.75, 2, 2)
    assert found["MR spacing, y"] == (1.25, 1.625, 2, 2)
    assert found["MR size, y"] == (5, 5.5, 6, 2)
    assert found["MR intensity, 99th percentile"][1] == pytest.approx((143 * 0.99 + found_high(510)) / 2, rel=1e-4)
    units = {one["group"]: one["unit"] for one in content["measures"] if one["name"] == "intensity, median"}
    assert units == {"CT": "HU", "MR": ""}
    assert labels(content) == {ORGANS_TITLE: {name: 6 if number == 1 else 5 for number, name in ORGANS.items()}}
    assert content["labels"][0]["of"] == 6
    assert content["notes"] == []


def found_high(case: int) -> float:
    return float(np.percentile(voxels_of(case), 99))


def test_of_task_1_there_is_ct_alone(root: Path, tmp_path: Path) -> None:
    content = inspected("amos", fetched("amos", root, tmp_path, "--task", "1"))
    assert counts(content) == {
        "CT cases for training": (2, 200),
        "CT cases for validation": (2, 100),
        "cases for test": (1, None),
    }
    assert {one["group"] for one in content["measures"]} == {"CT"}


def test_a_sample_has_each_part_and_modality(manifest: Path) -> None:
    content = inspected("amos", manifest, read=5)
    assert content["read"] == {"noun": "cases", "of": 7, "read": 5, "whole": False}
    assert content["labels"][0]["of"] == 4
    assert measures(content)["CT size, x"][3] == 3
    first = output(manifest).read_bytes()
    inspected("amos", manifest, read=5)
    assert output(manifest).read_bytes() == first


def test_organs_that_no_case_has_are_a_note(root: Path, tmp_path: Path) -> None:
    for part in ("Tr", "Va"):
        for path in (root / f"labels{part}").iterdir():
            image: Any = nib.load(path)
            voxels = np.asanyarray(image.dataobj)
            write(path, np.where(np.isin(voxels, (4, 15)), 0, voxels).astype(np.uint8))
    content = inspected("amos", fetched("amos", root, tmp_path, "--task", "2"))
    assert content["notes"] == ["no case that was read has gall bladder, prostate/uterus"]
    assert labels(content)[ORGANS_TITLE]["gall bladder"] == 0


def _cut(root: Path) -> None:
    (root / IMAGE).write_bytes((root / IMAGE).read_bytes()[:-30])


def _text(root: Path) -> None:
    (root / LABEL).write_bytes(gzip.compress(b"<html>404</html>" * 40))


def _size(root: Path) -> None:
    write(root / LABEL, np.zeros((6, 5, 3), np.uint8))


def _place(root: Path) -> None:
    beside = AFFINE.copy()
    beside[0, 3] = 3.0
    write(root / LABEL, labels_of(7), beside)


def _number(root: Path) -> None:
    voxels = labels_of(7)
    voxels[0, 0, 3] = 16
    write(root / LABEL, voxels)


def _fraction(root: Path) -> None:
    write(root / LABEL, labels_of(7).astype(np.float32) / 2)


def _negative(root: Path) -> None:
    write(root / LABEL, labels_of(7).astype(np.int16) - 2)


def _nan(root: Path) -> None:
    voxels = voxels_of(7).astype(np.float32)
    voxels[1, 2, 3] = np.nan
    write(root / IMAGE, voxels)


def _four(root: Path) -> None:
    write(root / IMAGE, voxels_of(7)[..., None])


def _still(root: Path) -> None:
    write(root / IMAGE, np.zeros((6, 5, 4), np.int16))


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_cut, f"{IMAGE} is cut short"),
        (_text, f"{LABEL} is no NIfTI file"),
        (_size, f"{LABEL} has 6 x 5 x 3 voxels and its image 6 x 5 x 4;"),
        (_place, f"{LABEL} lies up to 3.0 mm beside its image;"),
        (_number, f"{LABEL} has the label 16 and not only whole numbers from 0 to 15;"),
        (_fraction, f"{LABEL} has the label "),
        (_negative, f"{LABEL} has the label -"),
        (_nan, f"{IMAGE} has voxels that are NaN or infinite (1);"),
        (_four, f"{IMAGE} has 4 axes and a scan has three;"),
        (_still, f"{IMAGE} has the value 0 in all its voxels;"),
    ],
)
def test_a_bad_case_is_named(
    spoil: Callable[[Path], None], told: str, manifest: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(root)
    said = refused("amos", manifest, capsys)
    assert said.startswith(f"1 of 7 cases in {root} cannot be used: {told}")
    assert said.endswith(f"; put them right or leave them out, delete {manifest} and run again")


def test_a_label_map_a_little_beside_its_image_will_do(manifest: Path, root: Path) -> None:
    beside = AFFINE.copy()
    beside[0, 3] = 0.9
    write(root / LABEL, labels_of(7), beside)
    assert inspected("amos", manifest)["read"]["read"] == 7


def test_a_release_that_did_not_come_whole_is_refused(
    manifest: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused("amos", change(manifest, source="remote"), capsys)
    assert said.startswith(f"{root} is not what was released (CT cases for training: 2 and not 200, MR cases for")
    assert "for test" not in said
