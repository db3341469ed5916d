"""The cases that the container is tried on: held out, under names that tell nothing, and no others in the folder."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.amos_data.release import CASES, release
from workflow.scripts.amos.cases import choose, main
from workflow.scripts.amos.fetch import main as fetch


def manifest(tmp_path: Path, task: int = 2, cases: Mapping[str, Iterable[int]] = CASES) -> Path:
    root, path = release(tmp_path / "amos22", cases), tmp_path / "manifest.json"
    words = ["--source", str(root), "--task", str(task), "--scratch", str(tmp_path), "--manifest", str(path)]
    assert fetch(words) == 0
    return path


def words(manifest: Path, task: int = 2, most: int = 0) -> list[str]:
    folder, output = manifest.parent / "cases", manifest.parent / "cases.json"
    paths = ["--manifest", str(manifest), "--folder", str(folder), "--output", str(output)]
    return [*paths, "--task", str(task), "--most", str(most)]


def lay_out(manifest: Path, task: int = 2, most: int = 0) -> dict[str, Any]:
    assert main(words(manifest, task, most)) == 0
    content: dict[str, Any] = json.loads((manifest.parent / "cases.json").read_text())
    return content


def test_all_held_out_cases_lie_under_names_that_tell_nothing(tmp_path: Path) -> None:
    content = lay_out(manifest(tmp_path))
    assert (content["schema"], content["root"], content["held_out"]) == (1, str(tmp_path / "cases"), True)
    assert [(case["id"], case["modality"]) for case in content["cases"]] == [
        ("amos_0012", "CT"),
        ("amos_0510", "MR"),
        ("amos_0020", "CT"),
    ]
    for case in content["cases"]:
        assert re.fullmatch(r"[0-9a-f]{12}\.nii\.gz", case["file"])
        original = tmp_path / "amos22/imagesVa" / f"{case['id']}.nii.gz"
        assert (tmp_path / "cases" / case["file"]).read_bytes() == original.read_bytes()
        assert case["label"] == str(tmp_path / "amos22/labelsVa" / f"{case['id']}.nii.gz")
    there = {path.name for path in (tmp_path / "cases").iterdir()}
    assert there == {case["file"] for case in content["cases"]}


@pytest.mark.parametrize(
    ("most", "ids"), [(1, ["amos_0012"]), (2, ["amos_0012", "amos_0510"]), (9, ["amos_0012", "amos_0510", "amos_0020"])]
)
def test_fewer_are_taken_in_turns(tmp_path: Path, most: int, ids: list[str]) -> None:
    assert [case["id"] for case in lay_out(manifest(tmp_path), most=most)["cases"]] == ids


@pytest.mark.parametrize("fetched", [1, 2])
def test_task_1_takes_ct_alone(tmp_path: Path, fetched: int) -> None:
    content = lay_out(manifest(tmp_path, fetched), task=1)
    assert [case["id"] for case in content["cases"]] == ["amos_0012", "amos_0020"]


def test_the_cases_of_an_earlier_run_do_not_stay(tmp_path: Path) -> None:
    path = manifest(tmp_path)
    lay_out(path)
    (tmp_path / "cases/.0123.nii.abc.gz").touch()  # what a kill leaves
    content = lay_out(path, most=1)
    assert [file.name for file in (tmp_path / "cases").iterdir()] == [content["cases"][0]["file"]]


def test_without_labelled_validation_cases_training_cases_stand_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = lay_out(manifest(tmp_path, cases={"training": (7, 3, 507), "test": (450,)}), most=2)
    assert content["held_out"] is False
    assert [case["id"] for case in content["cases"]] == ["amos_0003", "amos_0507"]
    assert "the container is tried on training cases" in capsys.readouterr().err


def error_of(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(arguments) == 1
    return capsys.readouterr().err.splitlines()[-1].removeprefix("error: ")


def test_a_folder_named_by_mistake_is_not_emptied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = manifest(tmp_path)
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases/thesis.tex").touch()
    (tmp_path / "cases/one.nii.gz").touch()
    error = error_of(words(path), capsys)
    assert error == f"--folder {tmp_path}/cases holds thesis.tex, which is no image; name a folder that may be emptied"
    assert len(list((tmp_path / "cases").iterdir())) == 2


def test_a_folder_that_is_a_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = manifest(tmp_path)
    (tmp_path / "cases").touch()
    assert error_of(words(path), capsys).startswith(f"--folder {tmp_path}/cases is a file; ")


def test_an_image_that_is_gone_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = manifest(tmp_path)
    (tmp_path / "amos22/imagesVa/amos_0510.nii.gz").unlink()
    assert error_of(words(path), capsys).startswith(f"{tmp_path}/amos22/imagesVa/amos_0510.nii.gz cannot be copied to")


def test_what_cannot_be_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = manifest(tmp_path, task=1)
    assert "was made for task 1; fetch the data for task 2" in error_of(words(path, task=2), capsys)
    assert "--most is -1; give a number" in error_of(words(path, task=1, most=-1), capsys)
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "cases": [{**case, "label": None} for case in content["cases"]]}))
    assert "has no labelled case of task 1" in error_of(words(path, task=1), capsys)


def test_validation_cases_that_were_trained_on_are_not_held_out() -> None:
    """As the winners trained; a score on them says little, and must not be shown as one of unseen cases."""
    entry = {"label": "x", "modality": "CT", "part": "validation"}
    assert choose([entry], 1, 0) == ([entry], True)
    assert choose([entry], 1, 0, kept=False) == ([entry], False)
