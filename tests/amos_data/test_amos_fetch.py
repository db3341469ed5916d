"""Fetch: each source, in both styles of its description, and a manifest that says what is there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from containers.amos.organs import ORGANS
from tests.amos_data.release import CASES, change, description, release
from workflow.scripts.amos.fetch import main
from workflow.scripts.amos.phantom import FEWEST, Demo, patients


def fetch(folder: Path, source: Path | str, task: int = 1) -> int:
    demo = json.dumps({"cases": FEWEST})
    words = ["--source", str(source), "--task", str(task), "--demo", demo, "--scratch", str(folder / "scratch")]
    return main([*words, "--manifest", str(folder / "manifest.json"), "--workers", "1"])


def manifest(folder: Path, source: Path | str, task: int = 1) -> dict[str, Any]:
    assert fetch(folder, source, task) == 0
    content: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return content


def ids(content: dict[str, Any]) -> list[str]:
    return [case["id"] for case in content["cases"]]


def test_a_folder_is_used_in_place_and_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = release(tmp_path / "amos22")
    before = {path: path.stat().st_mtime_ns for path in [root, *root.rglob("*")]}
    content = manifest(tmp_path, root, task=2)
    assert {path: path.stat().st_mtime_ns for path in [root, *root.rglob("*")]} == before
    assert (content["schema"], content["source"], content["root"]) == (1, "folder", str(root))
    assert (content["task"], content["licence"], len(content["fingerprint"])) == (2, "CC-BY-SA 4.0", 16)
    numbers = sorted(number for part in CASES.values() for number in part)
    assert ids(content) == [f"amos_{number:04d}" for number in numbers]
    status = (root / "imagesVa/amos_0510.nii.gz").stat()
    assert content["cases"][-1] == {
        "id": "amos_0510",
        "modality": "MR",
        "part": "validation",
        "image": "imagesVa/amos_0510.nii.gz",
        "label": "labelsVa/amos_0510.nii.gz",
        "size": status.st_size,
        "mtime_ns": status.st_mtime_ns,
    }
    (test,) = [case for case in content["cases"] if case["part"] == "test"]
    assert (test["id"], test["image"], test["label"]) == ("amos_0450", "imagesTs/amos_0450.nii.gz", None)
    told = capsys.readouterr()
    assert "7 cases of task 2" in told.out
    assert "2 CT and 1 MR for training, 2 CT and 1 MR for validation, 1 CT for test" in told.out
    assert told.out.count("CC-BY-SA 4.0") == 1
    assert "other licences" in told.err


def test_task_1_is_the_ct_alone(tmp_path: Path) -> None:
    content = manifest(tmp_path, release(tmp_path / "amos22"))
    assert {case["modality"] for case in content["cases"]} == {"CT"}
    assert ids(content) == ["amos_0003", "amos_0007", "amos_0012", "amos_0020", "amos_0450"]


def test_the_folder_may_be_the_one_that_holds_amos22(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = release(tmp_path / "data" / "amos22")
    (tmp_path / "data" / "__MACOSX").mkdir()
    direct, above = manifest(tmp_path, root), manifest(tmp_path, tmp_path / "data")
    assert direct == above
    monkeypatch.chdir(tmp_path)
    assert manifest(tmp_path, "data")["root"] == str(root)


@pytest.mark.parametrize("task", [1, 2])
def test_the_description_of_the_challenges_time_is_read(tmp_path: Path, task: int) -> None:
    """Its test is a list of names."""
    root = release(tmp_path / "amos22", file=f"task{task}_dataset.json", plain=True)
    assert ids(manifest(tmp_path, root, task)) == ids(manifest(tmp_path, release(tmp_path / "later" / "amos22"), task))


def test_images_for_validation_that_were_the_test_of_that_time_are_validation_still(tmp_path: Path) -> None:
    root = release(tmp_path / "amos22", {"training": (1,), "validation": (2,)})
    (root / "dataset.json").unlink()
    content = description({"training": (1,)})
    (root / "task1_dataset.json").write_text(json.dumps({**content, "test": ["./imagesVa/amos_0002.nii.gz"]}))
    case = manifest(tmp_path, root)["cases"][1]
    assert (case["part"], case["label"]) == ("validation", "labelsVa/amos_0002.nii.gz")


def test_the_description_after_the_challenge_is_preferred(tmp_path: Path) -> None:
    root = release(tmp_path / "amos22")
    (root / "task1_dataset.json").write_text("not JSON")
    assert len(manifest(tmp_path, root)["cases"]) == 5


@pytest.mark.parametrize("dot", ["", "./"])
def test_paths_with_and_without_a_dot_are_the_same(tmp_path: Path, dot: str) -> None:
    assert manifest(tmp_path, release(tmp_path / "amos22", dot=dot))["cases"][0]["image"] == "imagesTr/amos_0003.nii.gz"


def test_a_test_label_is_taken_where_somebody_has_it(tmp_path: Path) -> None:
    root = release(tmp_path / "amos22")
    (root / "labelsTs").mkdir()
    shutil.copy(root / "labelsTr/amos_0003.nii.gz", root / "labelsTs/amos_0450.nii.gz")
    case = manifest(tmp_path, root)["cases"][-1]
    assert (case["part"], case["label"]) == ("test", "labelsTs/amos_0450.nii.gz")


def test_a_test_label_that_is_listed_but_withheld_is_none(tmp_path: Path) -> None:
    root = release(tmp_path / "amos22")
    entry = {"image": "./imagesTs/amos_0450.nii.gz", "label": "./labelsTs/amos_0450.nii.gz"}
    change(root, test=[entry])
    assert manifest(tmp_path, root)["cases"][-1]["label"] is None


def test_a_release_without_validation_and_test_will_do(tmp_path: Path) -> None:
    root = release(tmp_path / "amos22")
    change(root, validation=None, test=None)
    assert ids(manifest(tmp_path, root)) == ["amos_0003", "amos_0007"]


def test_what_macos_adds_is_ignored_and_other_files_are_noted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = release(tmp_path / "amos22")
    for name in ("imagesTr/._amos_0003.nii.gz", "imagesTr/.DS_Store", "imagesTr/__MACOSX", "._dataset.json"):
        (root / name).touch()
    expected = manifest(tmp_path, root)
    assert "stay unused" not in capsys.readouterr().err
    for name in ("imagesTr/amos_0099.nii.gz", "imagesVa/notes.txt"):
        (root / name).touch()
    assert manifest(tmp_path, root) == expected
    note = capsys.readouterr().err.splitlines()[0]
    assert note.startswith(f"note: 2 files below {root} are not in dataset.json and stay unused: ")
    assert note.endswith("imagesTr/amos_0099.nii.gz, imagesVa/notes.txt")


def test_the_fingerprint_follows_the_data_and_not_their_place(tmp_path: Path) -> None:
    root = release(tmp_path / "amos22")
    first = manifest(tmp_path, root)["fingerprint"]
    assert manifest(tmp_path, shutil.copytree(root, tmp_path / "copy"))["fingerprint"] == first
    assert manifest(tmp_path, root, task=2)["fingerprint"] != first
    label = root / "labelsTr/amos_0003.nii.gz"
    label.write_bytes(label.read_bytes() + b"\0")
    assert manifest(tmp_path, root)["fingerprint"] != first


def test_another_spelling_is_noted_and_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = release(tmp_path / "amos22")
    names = {**ORGANS, 8: "aorta", 4: "gallbladder", 9: "inferior vena cava", 6: "Liver"}
    change(root, labels={"0": "background", **{str(number): name for number, name in names.items()}})
    assert len(manifest(tmp_path, root)["cases"]) == 5
    notes = [line for line in capsys.readouterr().err.splitlines() if "organ" in line]
    assert notes == [
        "note: dataset.json calls organ 4 'gallbladder', and the organisers call it 'gall bladder'",
        "note: dataset.json calls organ 8 'aorta', and the organisers call it 'arota'",
        "note: dataset.json calls organ 9 'inferior vena cava', and the organisers call it 'postcava'",
    ]


@pytest.mark.parametrize("task", [1, 2])
def test_the_demo_is_a_release(tmp_path: Path, task: int, capsys: pytest.CaptureFixture[str]) -> None:
    content = manifest(tmp_path, "demo", task)
    assert content["source"] == "demo"
    assert Path(content["root"]).is_relative_to(tmp_path / "scratch")
    people = [person for person in patients(Demo(FEWEST)) if task == 2 or person.modality == "CT"]
    found = [(case["id"], case["modality"], case["part"]) for case in content["cases"]]
    assert found == [(person.name.removesuffix(".nii.gz"), person.modality, person.part) for person in people]
    assert "note:" not in capsys.readouterr().err
