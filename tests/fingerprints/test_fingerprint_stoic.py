"""STOIC's fingerprint: what it tells, and which images are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from tests.fingerprints.programs import change, counts, fetched, inspect, inspected, labels, measures, output, refused
from tests.stoic_data.images import data_set, noise, write
from workflow.scripts.stoic.inspect import main

COURSES = {30: (1, 1), 7: (0, 0), 12: (1, 0), 13: (1, 0)}
TAGS = {"PatientAge": "065Y", "PatientSex": "F"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return data_set(tmp_path / "data", COURSES)


@pytest.fixture
def manifest(root: Path, tmp_path: Path) -> Path:
    return fetched("stoic", root, tmp_path)


def image(root: Path, case: int) -> Path:
    return root / f"data/mha/{case}.mha"


def test_what_the_images_are(root: Path, tmp_path: Path) -> None:
    ramp = np.linspace(-1000, 1000, 12 * 10 * 8).reshape(12, 10, 8).astype(np.int16)
    write(image(root, 7), ramp, spacing=(0.5, 0.75, 3.0), tags={"PatientAge": "085Y", "PatientSex": "M"})
    content = inspected("stoic", fetched("stoic", root, tmp_path))
    assert counts(content) == {"cases": (4, 2000)}
    assert labels(content) == {
        "Course": {"without COVID": 1, "with COVID, not severe": 2, "severe": 1},
        "Age in years, among those read": {"65": 3, "85": 1},
        "Sex, among those read": {"F": 3, "M": 1},
    }
    found = measures(content)
    assert found["spacing, x"] == (0.5, 2, 2, 4)
    assert found["spacing, y"] == (0.75, 2, 2, 4)
    assert found["spacing, z"] == (2, 2, 3, 4)
    assert found["width"] == (8, 8, 8, 4)
    assert found["depth"] == (8, 8, 10, 4)
    assert found["slices"] == (8, 8, 12, 4)
    assert found["height"] == (16, 16, 36, 4)
    assert found["intensity, 1st percentile"][2] == pytest.approx(-980, abs=1)
    assert found["intensity, 99th percentile"][2] == pytest.approx(980, abs=1)
    assert content["read"] == {"noun": "images", "of": 4, "read": 4, "whole": True}
    assert (content["challenge"], content["source"], content["notes"]) == ("stoic", "folder", [])


def test_a_sample_reads_a_part_and_counts_all(manifest: Path) -> None:
    content = inspected("stoic", manifest, read=3)
    assert content["read"] == {"noun": "images", "of": 4, "read": 3, "whole": False}
    assert labels(content)["Course"] == {"without COVID": 1, "with COVID, not severe": 2, "severe": 1}
    assert measures(content)["slices"][3] == 3


def test_a_sample_does_not_see_what_it_does_not_read(manifest: Path, root: Path) -> None:
    """One of the two of a course is left out; broken in turns, it is found once and not found once."""
    ends = []
    for case in (12, 13):
        whole = image(root, case).read_bytes()
        image(root, case).write_bytes(whole[:-20])
        ends.append(inspect("stoic", manifest, read=3))
        image(root, case).write_bytes(whole)
    assert sorted(ends) == [0, 1]


def test_equal_data_give_equal_bytes_however_many_processes(manifest: Path) -> None:
    inspected("stoic", manifest, read=3)
    first = output(manifest).read_bytes()
    inspected("stoic", manifest, read=3, workers=2)
    assert output(manifest).read_bytes() == first


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-40] ^= 0xFF
    path.write_bytes(content)


def _text(path: Path) -> None:
    path.write_text("<html>403 Forbidden</html>")


def _slice(path: Path) -> None:
    write(path, noise((1, 8, 8)))


def _flat(path: Path) -> None:
    sitk.WriteImage(sitk.GetImageFromArray(noise((8, 8))), str(path))


def _colours(path: Path) -> None:
    sitk.WriteImage(sitk.GetImageFromArray(noise((4, 8, 8, 3)), isVector=True), str(path))


def _still(path: Path) -> None:
    write(path, np.full((8, 8, 8), -1024, np.int16))


def _infinite(path: Path) -> None:
    write(path, np.full((8, 8, 8), np.inf, np.float32))


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_cut, "data/mha/12.mha is "),
        (_flipped, "data/mha/12.mha is damaged"),
        (_text, "data/mha/12.mha is not a readable image"),
        (_slice, "data/mha/12.mha is a single slice (1 x 8 x 8)"),
        (_flat, "data/mha/12.mha has 2 dimensions (8 x 8)"),
        (_colours, "data/mha/12.mha has 3 values a voxel"),
        (_still, "data/mha/12.mha has the value -1024 in all its voxels"),
        (_infinite, "data/mha/12.mha has voxels that are NaN or infinite"),
        (Path.unlink, "data/mha/12.mha is not there"),
    ],
)
def test_a_bad_image_is_named(
    spoil: Callable[[Path], object], told: str, manifest: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(image(root, 12))
    said = refused("stoic", manifest, capsys)
    assert said.startswith(f"1 of 4 images in {root} cannot be used: {told}")
    assert said.endswith(f"; put them right or leave them out, delete {manifest} and run again")


def test_all_bad_images_are_named_together(manifest: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for case in (7, 30):
        _still(image(root, case))
    said = refused("stoic", manifest, capsys)
    assert said.startswith(f"2 of 4 images in {root} cannot be used: data/mha/7.mha has the value")
    assert "; data/mha/30.mha has the value" in said


def test_a_release_that_did_not_come_whole_is_refused(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused("stoic", change(manifest, source="remote"), capsys)
    assert "(cases: 4 and not 2,000, cases without COVID: 1 and not 795, cases with COVID, not severe: 2" in said


def test_a_part_of_the_release_is_told_and_taken(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = inspected("stoic", change(manifest, source="remote", subset=4))
    assert content["source"] == "remote"
    assert "cases: 4 (the release has 2,000); 4 of 4 images were read through" in capsys.readouterr().out


def test_what_stops_nobody_is_a_note(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(image(root, 7), noise((8, 8, 8)), tags={"PatientSex": "F", "PatientAge": "old"})
    write(image(root, 13), noise((8, 8, 8)).clip(0, 255).astype(np.uint8), tags={"PatientAge": "045Y"})
    content = inspected("stoic", fetched("stoic", root, tmp_path))
    assert content["notes"] == [
        "1 of 4 images have no PatientAge that can be used: 7.mha",
        "1 of 4 images have no PatientSex that can be used: 13.mha",
        "1 of 4 images have values that are no HU of a chest: 13.mha (0 to 255)",
    ]
    assert "note: 1 of 4 images have no PatientAge that can be used: 7.mha" in capsys.readouterr().err


def test_a_number_below_zero_is_refused(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused("stoic", manifest, capsys, read=-1) == "--read is -1; give a number, or 0 for all"


def test_a_place_that_cannot_be_written_is_named(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main(["--manifest", str(manifest), "--output", str(tmp_path / "file/fingerprint.json")]) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith(f"error: {tmp_path}/file/fingerprint.json cannot be written (")
