"""The container's program: every scan gets its label map, a bad one costs the others nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch

from containers.amos import predictor, run_inference, volume
from containers.amos.outputs import check
from tests.amos_container.conftest import make_artifact
from tests.amos_container.scans import ORIENTATIONS, noise, save, turned

SHAPE = (24, 20, 18)
AFFINE = np.diag([1.5, 1.5, 4, 1])


class Workspace:
    def __init__(self, folder: Path) -> None:
        self.folder, self.input, self.output = folder, folder / "input", folder / "output"
        self.input.mkdir()

    def scan(self, name: str, seed: int = 0, **more: Any) -> Path:
        return save(self.input / name, noise(SHAPE, seed), turned(ORIENTATIONS[seed * 7], SHAPE, AFFINE), **more)

    def settings(self, **predict: Any) -> None:
        (self.folder / "settings.json").write_text(json.dumps({"predict": predict}))

    @property
    def written(self) -> list[str]:
        return sorted(path.name for path in self.output.iterdir())

    def labels(self, name: str) -> Any:
        image: Any = nib.load(self.output / name)
        return np.asanyarray(image.dataobj)


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines on standard error, without progress bars."""
    return [line for line in capsys.readouterr().err.splitlines() if "%|" not in line]


@pytest.fixture
def place(artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    made = Workspace(tmp_path)
    for name, path in (("INPUT", "input"), ("OUTPUT", "output"), ("SETTINGS", "settings.json")):
        monkeypatch.setenv(f"SLIPWAY_{name}", str(tmp_path / path))
    monkeypatch.setenv("SLIPWAY_ARTIFACT", str(artifact))
    made.settings(mirror=False)
    return made


def test_every_scan_gets_a_label_map_of_its_name(place: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["amos 0001.nii.gz", "-rf.nii.gz", "ünïcode 腹.nii.gz", "a.b.c.NII.GZ", "plain.nii"]
    for seed, name in enumerate(names):
        place.scan(name, seed)
    assert run_inference.main([]) == 0
    assert place.written == sorted(names)
    assert [finding.note for finding in check(place.output, place.input) if finding.status == "FAIL"] == []
    assert all(len(np.unique(place.labels(name))) > 2 for name in names), "noise in, several organs out"
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(": ")[0] for line in lines[:-1]] == sorted(names)
    assert lines[0].startswith("-rf.nii.gz: ")
    assert "18 x 20 x 24 voxels" in next(line for line in lines if line.startswith("amos 0001"))
    assert " of 15 organs (" in lines[0]
    assert lines[-1] == "5 of 5 cases written"


def test_the_labels_are_the_predictors(place: Workspace, artifact: Path) -> None:
    from containers.amos.model import load

    source = place.scan("a.nii.gz", 3)
    assert run_inference.main([]) == 0
    scan = volume.read(source)
    expected = predictor.segment(scan.voxels, scan.spacing, load(artifact), predictor.Options(mirror=False))
    np.testing.assert_array_equal(volume.read(place.output / "a.nii.gz").voxels, expected)


def test_a_broken_scan_is_named_and_the_others_are_written(
    place: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed, name in enumerate(("a.nii.gz", "b.nii.gz", "c.nii.gz")):
        place.scan(name, seed)
    whole = (place.input / "b.nii.gz").read_bytes()
    (place.input / "b.nii.gz").write_bytes(whole[: len(whole) // 2])
    assert run_inference.main([]) == 1
    assert place.written == ["a.nii.gz", "c.nii.gz"]
    why = "is cut short: its gzip stream has no end; copy it again"
    assert told(capsys) == [
        f"error: b.nii.gz: {why}",
        f"error: 2 of 3 cases written; failed: b.nii.gz ({why})",
    ]


def test_a_scan_too_large_for_the_memory_is_refused_before_it_is_read(
    place: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    header = nib.Nifti1Header()
    header.set_data_shape((512, 512, 2048))
    header.set_data_dtype(np.int16)
    header.set_sform(AFFINE, 1)
    header["pixdim"][1:4], header["vox_offset"] = (1.5, 1.5, 4), 352
    (place.input / "huge.nii").write_bytes(header.binaryblock)  # no voxel is there: reading one would tell
    place.scan("small.nii.gz")
    place.settings(mirror=False, memory=1.4)
    assert run_inference.main([]) == 1
    assert place.written == ["small.nii.gz"]
    said = capsys.readouterr().err
    assert "error: huge.nii: an image of 2048x512x512 voxels needs about " in said
    assert " strips and the limit is 1.30 GiB" in said
    assert "cut short" not in said


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "the memory does not suffice"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to"), "the memory does not suffice"),
        (torch.OutOfMemoryError("CUDA out of memory"), "the GPU's memory does not suffice"),
        (ValueError("a mistake\nof ours"), "ValueError at test_run_inference.py:"),
    ],
)
def test_whatever_befalls_one_case_the_next_is_tried(
    error: Exception, words: str, place: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = predictor.segment

    def segment(voxels: Any, spacing: Any, model: Any, options: Any, title: str = "") -> Any:
        if title == "a.nii.gz":
            raise error
        return real(voxels, spacing, model, options, title)

    monkeypatch.setattr(predictor, "segment", segment)
    for name in ("a.nii.gz", "b.nii.gz"):
        place.scan(name)
    assert run_inference.main([]) == 1
    assert place.written == ["b.nii.gz"]
    first, last = told(capsys)
    assert first.startswith(f"error: a.nii.gz: {words}")
    assert last.startswith("error: 1 of 2 cases written; failed: a.nii.gz (")


def test_many_failures_are_told_by_a_few(place: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(8):
        (place.input / f"{number}.nii.gz").touch()
    assert run_inference.main([]) == 1
    lines = told(capsys)
    assert len(lines) == 9
    assert lines[-1].startswith("error: 0 of 8 cases written; failed: 0.nii.gz (is empty; copy it again); 1.nii.gz (")
    assert lines[-1].endswith("4.nii.gz (is empty; copy it again); and 3 more")


def test_voxels_that_are_no_numbers_are_told(place: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    voxels = noise(SHAPE).astype(np.float32)
    voxels[:3, 0, 0] = np.nan
    save(place.input / "a.nii.gz", voxels, AFFINE)
    assert run_inference.main([]) == 0
    assert told(capsys) == ["warning: a.nii.gz: 3 voxels that are NaN or infinite count as its smallest value"]


def test_no_scans_is_one_sentence(place: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    (place.input / "readme.txt").touch()
    (place.input / "more").mkdir()
    assert run_inference.main([]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "warning: more is a folder; what is in it is not segmented",
        "warning: readme.txt is no .nii.gz file and is left alone",
        f"error: {place.input} has no .nii.gz file; mount the folder with the scans there",
    ]
    assert not place.output.exists()


def test_a_name_of_any_bytes_stays_on_its_line(place: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    for name in (b"two\nlines.nii.gz", b"\xff.nii.gz"):
        (place.input / name.decode("utf-8", "surrogateescape")).write_bytes(place.scan("a.nii.gz").read_bytes())
    assert run_inference.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[0] for line in lines[:-1]] == ["a.nii.gz", r"two\nlines.nii.gz", r"\udcff.nii.gz"]
    assert len(place.written) == 3


def test_cleaning_removes_what_the_model_says(
    place: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place.scan("a.nii.gz")
    strict = make_artifact(tmp_path / "strict", min_volume_mm3={str(organ): 1e9 for organ in range(1, 16)})
    monkeypatch.setenv("SLIPWAY_ARTIFACT", str(strict))
    assert run_inference.main([]) == 0
    assert not place.labels("a.nii.gz").any()
    assert "0 of 15 organs (only background), " in capsys.readouterr().out
    place.settings(mirror=False, clean=False)
    assert run_inference.main([]) == 0
    assert place.labels("a.nii.gz").any()


@pytest.mark.parametrize(
    ("device", "there", "expected"), [("auto", True, "cuda"), ("auto", False, "cpu"), ("cpu", True, "cpu")]
)
def test_the_settings_become_options(
    device: str, there: bool, expected: str, place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.scan("a.nii.gz")
    place.settings(device=device, step=0.75, memory=2.5, clean=False)
    seen: list[Any] = []

    def predict_all(*arguments: Any) -> dict[str, str]:
        seen.extend(arguments)
        return {}

    monkeypatch.setattr(run_inference, "predict_all", predict_all)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert run_inference.main([]) == 0
    options = predictor.Options(mirror=True, step=0.75, device=torch.device(expected), limit=2_500_000_000)
    assert seen[:2] == [[place.input / "a.nii.gz"], place.output]
    assert seen[3:] == [options, False]


def test_a_damaged_model_is_one_sentence(
    place: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place.scan("a.nii.gz")
    monkeypatch.setenv("SLIPWAY_ARTIFACT", str(tmp_path / "none"))
    assert run_inference.main([]) == 1
    assert f"error: {tmp_path / 'none'} is no model" in capsys.readouterr().err
