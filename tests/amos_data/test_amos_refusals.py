"""Fetch: everything that a user can get wrong is one sentence, and leaves no manifest."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.amos_data.release import release
from tests.amos_data.test_amos_fetch import fetch, ids, manifest
from workflow.scripts.amos.fetch import main


def error_of(folder: Path, source: Path | str, capsys: pytest.CaptureFixture[str], task: int = 1) -> str:
    assert fetch(folder, source, task) == 1
    assert not (folder / "manifest.json").exists()
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


def test_what_is_fetched_needs_an_agreement_to_its_licence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert error_of(tmp_path, "remote", capsys) == (
        "add 'AMOS22' to the key accept if you agree to the licence of AMOS22; its terms stand above"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_is_nothing_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = error_of(tmp_path, tmp_path / "nowhere", capsys)
    assert error.startswith(f"source {tmp_path}/nowhere is neither 'demo' nor 'remote' nor a folder")


def test_a_folder_without_a_description_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = release(tmp_path / "amos22", file="task2_dataset.json")
    assert error_of(tmp_path, root, capsys).startswith(
        f"{root} has no dataset.json or task1_dataset.json, nor has amos22 in it; "
    )


def renamed(content: dict[str, Any], number: int, name: str) -> None:
    content["labels"][str(number)] = name


def entry(content: dict[str, Any], **fields: Any) -> None:
    content["training"][0].update(fields)


Broken = Callable[[dict[str, Any]], object]
BROKEN: list[tuple[Broken, str]] = [
    (lambda c: c.pop("labels"), "must have 'labels' with the keys 0 to 15"),
    (lambda c: c["labels"].pop("15"), "must have 'labels' with the keys 0 to 15"),
    (lambda c: renamed(c, 8, "postcava"), "has 'postcava' as number 8, and AMOS22 as 9; renumber the label maps"),
    (lambda c: renamed(c, 9, "Aorta"), "has 'Aorta' as number 9, and AMOS22 as 8; renumber the label maps"),
    (lambda c: renamed(c, 2, "left kidney"), "has 'left kidney' as number 2, and AMOS22 as 3"),
    (lambda c: c.pop("training"), "must have a list 'training'"),
    (lambda c: c.update(training=[]), "lists no training case of task 1; CT is needed"),
    (lambda c: c.update(validation={}), "must have a list 'validation'"),
    (lambda c: c.update(test=[7]), "has 7 in 'test'; an entry needs 'image'"),
    (lambda c: c["training"][0].pop("label"), "has no 'label' for imagesTr/amos_0007.nii.gz"),
    (lambda c: entry(c, label=3), "in 'training'; an entry needs 'image'"),
    (lambda c: entry(c, image="./imagesTr/case7.nii.gz"), "lists imagesTr/case7.nii.gz, whose name tells no modality"),
    (lambda c: entry(c, image="./imagesTr/amos_0007.nii"), "whose name tells no modality; an image is named amos_XXXX"),
    (lambda c: entry(c, image="/data/amos_0007.nii.gz"), "lists /data/amos_0007.nii.gz; paths must be relative to"),
    (lambda c: entry(c, label="../amos_0007.nii.gz"), "lists ../amos_0007.nii.gz; paths must be relative to"),
    (lambda c: c["validation"].append(c["training"][0]), "lists amos_0007 more than once"),
]


@pytest.mark.parametrize(("spoil", "sentence"), BROKEN, ids=[sentence[:50] for _, sentence in BROKEN])
def test_a_description_that_is_wrong_is_refused_in_a_sentence(
    tmp_path: Path, spoil: Broken, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = release(tmp_path / "amos22") / "dataset.json"
    content = json.loads(path.read_text())
    spoil(content)
    path.write_text(json.dumps(content))
    error = error_of(tmp_path, path.parent, capsys)
    assert error.startswith(str(path))
    assert sentence in error


@pytest.mark.parametrize(("text", "sentence"), [("{", "is not readable as JSON"), ("[]", "must hold a JSON object")])
def test_a_description_that_is_no_object_is_refused(
    tmp_path: Path, text: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = release(tmp_path / "amos22") / "dataset.json"
    path.write_text(text)
    assert f"{path} {sentence}" in error_of(tmp_path, path.parent, capsys)


def test_all_files_that_are_missing_or_torn_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = release(tmp_path / "amos22")
    (root / "imagesTr/amos_0003.nii.gz").unlink()
    (root / "labelsTr/amos_0007.nii.gz").write_bytes(b"")
    (root / "labelsVa/amos_0012.nii.gz").write_text("<html>")
    (root / "imagesTr/amos_0507.nii.gz").unlink()  # MR: no matter for task 1
    assert error_of(tmp_path, root, capsys) == (
        f"{root} is not complete: imagesTr/amos_0003.nii.gz is missing; labelsTr/amos_0007.nii.gz is empty; "
        "labelsVa/amos_0012.nii.gz is not gzip; unpack the archive again"
    )
    assert "amos_0507.nii.gz is missing" in error_of(tmp_path, root, capsys, task=2)


def test_many_problems_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = release(tmp_path / "amos22", {"training": range(1, 11)})
    shutil.rmtree(root / "imagesTr")
    assert "imagesTr/amos_0005.nii.gz is missing and 5 more; unpack" in error_of(tmp_path, root, capsys)


def test_ct_is_needed_for_task_1_and_mr_alone_will_do_for_task_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = release(tmp_path / "amos22", {"training": (507, 508)})
    assert error_of(tmp_path, root, capsys).endswith("lists no training case of task 1; CT is needed")
    assert ids(manifest(tmp_path, root, task=2)) == ["amos_0507", "amos_0508"]


@pytest.mark.parametrize(
    ("demo", "sentence"),
    [
        ('{"cases": 3}', "demo.cases is 3; fewer than 6"),
        ('{"cases": 1000}', "demo.cases is 1000; the organisers' numbers are enough for no more than 320"),
        ('{"case": 60}', "demo.case is not a setting; did you mean 'cases'?"),
    ],
)
def test_impossible_demo_settings_are_named(
    tmp_path: Path, demo: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--source", "demo", "--task", "1", "--demo", demo, "--scratch", str(tmp_path)]
    assert main([*words, "--manifest", str(tmp_path / "manifest.json")]) == 1
    assert sentence in capsys.readouterr().err
