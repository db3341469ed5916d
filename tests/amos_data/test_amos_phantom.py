"""The demo: the same from the same seed, there whole or not at all, in the layout and the variety of the release."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from containers.amos.organs import ORGANS
from containers.kit.errors import UserError
from workflow.scripts.amos import phantom
from workflow.scripts.amos.phantom import FEWEST, MOST, SUFFIX, Demo, Patient, generate, patients

TINY = Demo(cases=FEWEST)
PEOPLE = {person.id: person for person in patients(Demo())}


def image_of(root: Path, person: Patient) -> nib.Nifti1Image:
    return nib.Nifti1Image.from_filename(root / f"images{SUFFIX[person.part]}" / person.name)


def test_equal_seeds_give_equal_bytes_and_others_do_not(tmp_path: Path) -> None:
    first = generate(TINY, tmp_path / "a", workers=1)
    again = generate(TINY, tmp_path / "b", workers=2)
    assert first.name == again.name == "amos22"
    assert first.parent.name == again.parent.name
    files = [path.relative_to(first.parent) for path in first.parent.rglob("*") if path.is_file()]
    assert len(files) == 2 * 5 + 1 + 2
    for file in files:
        assert (first.parent / file).read_bytes() == (again.parent / file).read_bytes()
    people, others = patients(TINY), patients(Demo(cases=FEWEST, seed=1))
    assert [person.id for person in people] != [person.id for person in others]


def test_a_whole_demo_is_used_again_and_a_torn_one_is_made_again(tmp_path: Path) -> None:
    root = generate(TINY, tmp_path, workers=1)
    image = root / "imagesTr" / next(person.name for person in patients(TINY) if person.part == "training")
    whole, before = image.read_bytes(), image.stat()
    (tmp_path / f".{root.parent.name}.killed").mkdir()  # what a killed run leaves
    assert generate(TINY, tmp_path, workers=1) == root
    assert (image.stat().st_ino, image.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    image.write_bytes(whole[:100])
    assert generate(TINY, tmp_path, workers=1) == root
    assert image.read_bytes() == whole


def test_a_kill_leaves_nothing_that_looks_whole(tmp_path: Path) -> None:
    words = ["--source", "demo", "--task", "2", "--scratch", str(tmp_path), "--manifest", str(tmp_path / "m.json")]
    command = [sys.executable, "-m", "workflow.scripts.amos.fetch", *words, "--workers", "1"]
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
    while process.poll() is None and not list(tmp_path.glob(".demo-*/amos22/images*/*.nii.gz")):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".demo-")] == []


def test_a_demo_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(phantom, "write_json", full)
    with pytest.raises(UserError, match=r"cannot take the demo data \(No space left on device"):
        generate(TINY, tmp_path, workers=1)
    assert list(tmp_path.iterdir()) == []


def test_an_image_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(nib, "save", full)
    with pytest.raises(UserError, match=r"imagesT\w/amos_\d{4}\.nii\.gz cannot be written \(No space left on device"):
        generate(TINY, tmp_path, workers=1)
    assert list(tmp_path.iterdir()) == []


def test_the_default_demo_has_sixteen_patients_in_all_parts() -> None:
    counts = Counter((person.modality, person.part) for person in PEOPLE.values())
    assert counts == {
        ("CT", "training"): 8,
        ("MR", "training"): 3,
        ("CT", "validation"): 3,
        ("MR", "validation"): 1,
        ("CT", "test"): 1,
    }


@pytest.mark.parametrize("cases", [FEWEST, 7, 16, 33, 100, MOST])
def test_any_number_of_patients_is_shared_out(cases: int) -> None:
    people = patients(Demo(cases=cases))
    assert len({person.id for person in people}) == len(people) == cases
    counts = Counter((person.modality, person.part) for person in people)
    assert all(counts[modality, part] >= 1 for modality in ("CT", "MR") for part in ("training", "validation"))
    assert all((person.id < 500) == (person.modality == "CT") for person in people)
    assert all(1 <= person.id <= 600 for person in people)
    if cases > 30:
        assert counts["CT", "training"] == pytest.approx(cases / 2, rel=0.1)


@pytest.mark.parametrize(("cases", "sentence"), [(5, "fewer than 6 cannot"), (321, "no more than 320")])
def test_a_number_that_cannot_be_is_refused(cases: int, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Demo(cases=cases)


def test_the_layout_is_that_of_the_release(demo: Path) -> None:
    content = json.loads((demo / "dataset.json").read_text())
    assert {"name", "description", "author", "reference", "licence", "release", "tensorImageSize"} < set(content)
    assert content["labels"] == {"0": "background", **{str(number): name for number, name in ORGANS.items()}}
    assert content["labels"]["8"] == "arota"
    assert (content["numTraining"], content["numTest"]) == (11, 1)
    assert all(set(entry) == {"image", "label"} for part in ("training", "validation") for entry in content[part])
    assert all(set(entry) == {"image"} for entry in content["test"])
    listed = [path for part in SUFFIX for entry in content[part] for path in entry.values()]
    assert all(path.startswith("./") for path in listed)
    there = {f"./{path.relative_to(demo)}" for path in demo.rglob("*.nii.gz")}
    assert sorted(listed) == sorted(there)
    assert len(there) == 2 * 15 + 1


def test_images_differ_as_those_of_scanners_do(demo: Path) -> None:
    seen: dict[str, set[str]] = {"orientation": set(), "CT": set(), "MR": set()}
    for person in PEOPLE.values():
        image = image_of(demo, person)
        orientation = "".join(nib.aff2axcodes(image.affine))
        assert orientation == person.orientation
        seen["orientation"].add(orientation)
        seen[person.modality].add(str(image.get_data_dtype()))
        spacing = image.header.get_zooms()
        assert 4 < spacing[0] == spacing[1] < 5
        assert 5 < spacing[2] < 8.5
        assert 27 <= image.shape[2] <= 34
        assert all(57 <= side <= 68 for side in image.shape[:2])
        assert int(image.header["qform_code"]) == int(image.header["sform_code"]) == 1
        np.testing.assert_allclose(image.get_qform(), image.get_sform(), atol=1e-3)
    assert seen["orientation"] == {"LPS", "LAS", "RAS"}
    assert seen["CT"] >= {"int16", "int32", "float32", "uint16"}
    assert seen["MR"] >= {"int16", "float32", "uint16"}


def test_one_ct_of_each_labelled_part_is_oblique(demo: Path) -> None:
    tilted = [person for person in PEOPLE.values() if person.tilt]
    assert sorted(person.part for person in tilted) == ["training", "validation"]
    for person in PEOPLE.values():
        angles = np.degrees(nib.affines.obliquity(image_of(demo, person).affine))
        assert angles.max() == pytest.approx(person.tilt, abs=0.01)


def test_ct_is_in_hu_whatever_the_type_and_mr_is_positive(demo: Path) -> None:
    for person in PEOPLE.values():
        values = image_of(demo, person).get_fdata()
        if person.modality == "CT":
            assert np.median(values[:, 0]) == pytest.approx(-1000, abs=20)
            assert 200 < np.percentile(values, 99.9) < 500
        else:
            assert values.min() >= 0
            assert 200 < np.percentile(values, 99) < 3000
    offset = next(person for person in PEOPLE.values() if (person.modality, person.dtype) == ("CT", "uint16"))
    proxy: Any = image_of(demo, offset).dataobj
    assert proxy.inter == -1024


def test_a_label_map_lies_on_its_image(demo: Path) -> None:
    for person in PEOPLE.values():
        label = demo / f"labels{SUFFIX[person.part]}" / person.name
        assert label.is_file() == (person.part != "test")
        if person.part != "test":
            image, labels = image_of(demo, person), nib.Nifti1Image.from_filename(label)
            assert labels.shape == image.shape
            assert labels.get_data_dtype() == np.uint8
            np.testing.assert_array_equal(labels.affine, image.affine)
