"""Fetch: each source, its checks, and a manifest that says what is there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import SimpleITK as sitk

from tests.stoic_data.images import data_set
from workflow.scripts.stoic.fetch import main
from workflow.scripts.stoic.phantom import Demo, patients

LABELS = {30: (1, 1), 7: (0, 0), 12: (1, 0)}
TINY = Demo(cases=8, size=(24, 28, 28))


def fetch(folder: Path, source: str, demo: Demo = TINY) -> int:
    settings = json.dumps({"cases": demo.cases, "seed": demo.seed, "size": demo.size})
    arguments = ["--source", source, "--demo", settings, "--scratch", str(folder / "scratch")]
    return main([*arguments, "--manifest", str(folder / "manifest.json"), "--workers", "1"])


def error_of(folder: Path, source: Path | str, capsys: pytest.CaptureFixture[str]) -> str:
    assert fetch(folder, str(source)) == 1
    assert not (folder / "manifest.json").exists()
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


def test_a_folder_is_used_in_place_and_described(tmp_path: Path) -> None:
    root = data_set(tmp_path / "data", LABELS)
    before = {path: path.stat().st_mtime_ns for path in [root, *root.rglob("*")]}
    assert fetch(tmp_path, str(root)) == 0
    assert {path: path.stat().st_mtime_ns for path in [root, *root.rglob("*")]} == before
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["schema"] == 1
    assert manifest["source"] == "folder"
    assert manifest["root"] == str(root)
    assert len(manifest["fingerprint"]) == 16
    status = (root / "data/mha/12.mha").stat()
    assert manifest["cases"][1] == {
        "id": 12,
        "file": "data/mha/12.mha",
        "size": status.st_size,
        "mtime_ns": status.st_mtime_ns,
        "covid": 1,
        "severe": 0,
    }
    assert [case["id"] for case in manifest["cases"]] == [7, 12, 30]


def test_a_relative_folder_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data_set(tmp_path / "data", LABELS)
    monkeypatch.chdir(tmp_path)
    assert fetch(tmp_path, "data") == 0
    assert json.loads((tmp_path / "manifest.json").read_text())["root"] == str(tmp_path / "data")


def test_remote_needs_the_licence_to_be_accepted_before_anything_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = error_of(tmp_path, "remote", capsys)
    assert error.startswith("add 'CC-BY-NC-4.0' to the key accept if you agree to the licence of STOIC2021")
    assert not (tmp_path / "scratch").exists()


def test_a_source_that_is_nothing_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = error_of(tmp_path, tmp_path / "nowhere", capsys)
    assert error.startswith(f"source {tmp_path}/nowhere is neither 'demo' nor 'remote' nor a folder")


@pytest.mark.parametrize("part", ["data/mha", "metadata/reference.csv"])
def test_a_folder_of_another_layout_is_refused(tmp_path: Path, part: str, capsys: pytest.CaptureFixture[str]) -> None:
    root = data_set(tmp_path / "data", LABELS)
    (root / part).rename(root / "elsewhere")
    assert error_of(tmp_path, root, capsys).startswith(f"{root} has no {part}; ")


def test_all_missing_and_empty_images_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = data_set(tmp_path / "data", LABELS)
    (root / "data/mha/12.mha").unlink()
    (root / "data/mha/30.mha").write_bytes(b"")
    assert error_of(tmp_path, root, capsys) == (
        f"{root} is not complete: PatientID 12 has no data/mha/12.mha; data/mha/30.mha is empty; "
        "fetch these files again"
    )


def test_many_problems_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = data_set(tmp_path / "data", dict.fromkeys(range(10), (0, 0)))
    for image in (root / "data/mha").iterdir():
        image.unlink()
    assert "PatientID 4 has no data/mha/4.mha and 5 more; fetch" in error_of(tmp_path, root, capsys)


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        ({1: (1, 0), 2: (1, 1)}, "without COVID"),
        ({1: (0, 0), 2: (1, 1)}, "with COVID but not severe"),
        ({1: (0, 0), 2: (1, 0)}, "that is severe"),
    ],
)
def test_a_class_without_a_case_is_named(
    tmp_path: Path, labels: dict[int, tuple[int, int]], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    root = data_set(tmp_path / "data", labels)
    assert error_of(tmp_path, root, capsys).startswith(f"{root}/metadata/reference.csv has no case {name}; ")


def test_files_of_no_row_are_noted_and_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = data_set(tmp_path / "data", LABELS)
    (root / "data/mha/99.mha").touch()
    (root / "data/mha/notes.txt").touch()
    assert fetch(tmp_path, str(root)) == 0
    note = capsys.readouterr().err.splitlines()[-1]
    assert note.startswith(f"note: 2 files below {root} are in no row")
    assert note.endswith("data/mha/99.mha, data/mha/notes.txt")


def test_the_demo_is_a_data_set_as_the_organisers_lay_it_out(tmp_path: Path) -> None:
    assert fetch(tmp_path, "demo") == 0
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    root = Path(manifest["root"])
    assert manifest["source"] == "demo"
    assert root.parent == tmp_path / "scratch"
    assert (root / "metadata/reference.csv").read_text().startswith("PatientID,probCOVID,probSevere\n")
    assert sorted(path.stem for path in (root / "data/mha").iterdir()) == sorted(
        str(c["id"]) for c in manifest["cases"]
    )
    for person in patients(TINY):
        image = sitk.ReadImage(str(root / f"data/mha/{person.id}.mha"))
        assert image.GetPixelID() == sitk.sitkInt16
        assert image.GetDirection() == (1, 0, 0, 0, 1, 0, 0, 0, 1)
        assert image.GetMetaData("PatientAge") == f"{person.age:03d}Y"
        assert image.GetMetaData("PatientSex") == person.sex
        assert b"CompressedData = True" in (root / f"data/mha/{person.id}.mha").read_bytes()[:600]


@pytest.mark.parametrize(
    ("demo", "sentence"),
    [
        ('{"cases": 3}', "demo.cases is 3; fewer than 8"),
        ('{"size": [4, 80, 80]}', "demo.size is [4, 80, 80]"),
        ('{"case": 60}', "demo.case is not a setting; did you mean 'cases'?"),
    ],
)
def test_impossible_demo_settings_are_named(
    tmp_path: Path, demo: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--source", "demo", "--demo", demo, "--scratch", str(tmp_path)]
    assert main([*arguments, "--manifest", str(tmp_path / "manifest.json")]) == 1
    assert sentence in capsys.readouterr().err
