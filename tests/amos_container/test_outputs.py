"""The output check: what a label map must be, and the sentence for each way in which it is not."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from containers.amos import volume
from containers.amos.outputs import check
from containers.kit.outputs import Finding
from tests.amos_container.scans import ORIENTATIONS, UPRIGHT, noise, patch, save, turned

SHAPE = (6, 5, 4)
AFFINE = turned(ORIENTATIONS[11], SHAPE)


class Folders:
    def __init__(self, folder: Path) -> None:
        self.input, self.output = folder / "input", folder / "output"
        self.input.mkdir()
        self.output.mkdir()

    def case(self, name: str) -> Path:
        scan = volume.read(save(self.input / name, noise(SHAPE), AFFINE))
        volume.write(self.output / name, np.asarray(scan.voxels % 16, np.uint8), like=scan.head)
        return self.output / name

    def failed(self, status: str = "FAIL") -> list[tuple[str, str]]:
        return [(one.name, one.note) for one in self.check() if one.status == status]

    def check(self) -> list[Finding]:
        return check(self.output, self.input)


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path)


def label(
    path: Path, kind: Any = np.uint8, affine: Any = AFFINE, shape: tuple[int, ...] = SHAPE, **fields: Any
) -> Path:
    return save(path, (np.abs(noise(shape)) % 16).astype(kind), affine, **fields)


def test_label_maps_like_their_scans_pass(folders: Folders) -> None:
    for name in ("a b.nii.gz", "ä.nii.gz", "C.NII.GZ", "plain.nii"):
        folders.case(name)
    (folders.input / "notes.txt").touch()
    (folders.input / ".DS_Store").touch()
    assert [(one.name, one.status) for one in folders.check()] == [("output files", "PASS"), ("label maps", "PASS")]


@pytest.mark.parametrize("kind", ["u1", "i2", ">u2", "i4", "u4", "i8", "u8"])
def test_any_integers_do(folders: Folders, kind: str) -> None:
    path = folders.case("a.nii.gz")
    values = (np.abs(noise(SHAPE)) % 16).astype(kind)
    nib.save(nib.Nifti1Image(values, AFFINE, dtype=kind), path)
    assert folders.failed() == []


def shift(amount: float) -> Any:
    moved = AFFINE.copy()
    moved[1, 3] += amount
    return moved


def wider(factor: float) -> Any:
    return AFFINE @ np.diag([factor, 1, 1, 1])


def tilted() -> Any:
    turn = np.deg2rad(1)
    return (
        np.array([[1, 0, 0, 0], [0, np.cos(turn), -np.sin(turn), 0], [0, np.sin(turn), np.cos(turn), 0], [0, 0, 0, 1]])
        @ AFFINE
    )


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-12])


def fewer(path: Path) -> None:
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-5]))


def other_quaternion(path: Path) -> None:
    patch(label(path), qoffset_x=77.0)


FAILURES: dict[str, tuple[Callable[[Path], Any], str, str]] = {
    "missing": (lambda path: path.unlink(), "missing output", "must write case 1.nii.gz to its output folder"),
    "extra": (lambda path: (path.parent / "log.txt").touch(), "extra output", "must not leave log.txt"),
    "hidden extra": (lambda path: (path.parent / ".x.gz").touch(), "extra output", "must not leave .x.gz"),
    "empty": (lambda path: path.write_bytes(b""), "unreadable output", "case 1.nii.gz is empty"),
    "text": (lambda path: path.write_text("labels"), "unreadable output", "case 1.nii.gz is no NIfTI file"),
    "cut": (cut, "unreadable output", "case 1.nii.gz is cut short: its gzip stream has no end"),
    "fewer": (fewer, "unreadable output", "case 1.nii.gz is cut short: its header says 4 planes"),
    "float": (lambda path: label(path, np.float32), "wrong output", "case 1.nii.gz holds float32; write whole numbers"),
    "scaled": (lambda path: label(path, scl_slope=2, scl_inter=1), "wrong output", "scales its labels by 2 and adds 1"),
    "four axes": (lambda path: label(path, shape=(*SHAPE, 1)), "wrong output", "case 1.nii.gz has 4 dimensions"),
    "channels": (lambda path: label(path, shape=(*SHAPE, 2)), "unreadable output", "case 1.nii.gz has 4 dimensions"),
    "turned": (
        lambda path: label(path, shape=SHAPE[::-1]),
        "wrong shape",
        "is 4 x 5 x 6 and its scan 6 x 5 x 4; resample",
    ),
    "too high": (
        lambda path: save(path, np.full(SHAPE, 16, np.uint8), AFFINE),
        "wrong output",
        "has the label 16; there are 0 to 15",
    ),
    "negative": (lambda path: save(path, np.full(SHAPE, -1, np.int16), AFFINE), "wrong output", "has the label -1"),
    "spacing": (lambda path: label(path, affine=wider(1.01)), "wrong spacing", "case 1.nii.gz has the spacing"),
    "origin": (lambda path: label(path, affine=shift(0.01)), "wrong origin", "copy the scan's header"),
    "direction": (lambda path: label(path, affine=tilted()), "wrong direction", "case 1.nii.gz has the direction"),
    "upright": (lambda path: label(path, affine=UPRIGHT), "wrong direction", "case 1.nii.gz has the direction"),
    "steps": (lambda path: patch(label(path), pixdim=[1, 9, 9, 9, 1, 1, 1, 1]), "wrong spacing", "9, 9, 9"),
    "quaternion": (other_quaternion, "wrong origin", "case 1.nii.gz has the origin 77"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_names_the_file_and_what_to_do(folders: Folders, name: str) -> None:
    change, finding, words = FAILURES[name]
    folders.case("fine.nii.gz")
    change(folders.case("case 1.nii.gz"))
    failed = folders.failed()
    assert finding in [one for one, _ in failed]
    assert any(words in note for one, note in failed if one == finding), failed
    assert not [note for _, note in failed if "fine.nii.gz" in note]


def test_a_thousandth_of_a_millimetre_is_no_difference(folders: Folders) -> None:
    label(folders.case("a.nii.gz"), affine=shift(0.0009))
    assert folders.failed() == []


def test_a_map_of_background_is_a_warning(folders: Folders) -> None:
    save(folders.case("a.nii.gz"), np.zeros(SHAPE, np.uint8), AFFINE)
    assert folders.failed() == []
    [(name, note)] = folders.failed("WARN")
    assert name == "empty label map"
    assert note.startswith("a.nii.gz is all background")


def test_a_scan_that_cannot_be_read_has_no_label_map_to_compare(folders: Folders) -> None:
    folders.case("a.nii.gz")
    (folders.input / "a.nii.gz").write_bytes(b"broken")
    [(name, note)] = folders.failed()
    assert name == "unreadable input"
    assert note.startswith("a.nii.gz has a label map, but its scan cannot be read")
    (folders.output / "a.nii.gz").unlink()
    assert [name for name, _ in folders.failed()] == ["missing output"]


def test_a_missing_input_folder_is_told(tmp_path: Path) -> None:
    [finding] = check(tmp_path, tmp_path / "none")
    assert (finding.name, finding.status) == ("input", "FAIL")
    assert "none cannot be read (No such file or directory)" in finding.note


def test_a_fourth_axis_of_one_in_the_scan_is_no_axis_of_the_labels(folders: Folders) -> None:
    source = save(folders.input / "a.nii.gz", noise((*SHAPE, 1)), AFFINE)
    label(folders.output / "a.nii.gz")
    assert volume.head(source).file_shape == SHAPE
    assert folders.failed() == []
