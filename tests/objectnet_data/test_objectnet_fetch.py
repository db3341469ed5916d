"""Folders of images: flat or as the release has them, with answers or without, and the sentence for each mistake."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from containers.objectnet.labels import FOLDERS, LABELS
from containers.objectnet.mapping import OVERLAP
from tests.objectnet_data.pictures import name, picture
from workflow.scripts.objectnet.fetch import main

OBJECTS = (52, 264, 258, 65)  # two of them are in ImageNet, and two folders are not named by the rule


def fetch(folder: Path, source: Path, answers: str | Path = "") -> int:
    words = ["--source", str(source), "--answers", str(answers), "--scratch", str(folder / "scratch/raw")]
    return main([*words, "--manifest", str(folder / "manifest.json")])


def content(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return read


def error(folder: Path, source: Path, capsys: pytest.CaptureFixture[str], answers: str | Path = "") -> str:
    capsys.readouterr()
    assert fetch(folder, source, answers) == 1
    assert not (folder / "manifest.json").exists()
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    return said.removeprefix("error: ").rstrip("\n")


def flat(folder: Path) -> dict[str, int]:
    for index in range(len(OBJECTS)):
        picture(folder / name(index), 2)
    return {name(index): number for index, number in enumerate(OBJECTS)}


def nested(folder: Path) -> dict[str, int]:
    for index, number in enumerate(OBJECTS):
        picture(folder / FOLDERS[number] / name(len(OBJECTS) - index), 2)
    return {name(len(OBJECTS) - index): number for index, number in enumerate(OBJECTS)}


def write(path: Path, values: Any) -> Path:
    path.write_text(json.dumps(values))
    return path


def snapshot(folder: Path) -> Mapping[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_a_flat_folder_is_used_in_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "photos"
    truth = flat(source)
    write(source / "answers-test.json", truth)
    (source / ".hidden.png").touch()
    (source / "README").touch()
    before = snapshot(source)
    assert fetch(tmp_path, source) == 0
    assert snapshot(source) == before
    made = content(tmp_path)
    assert (made["source"], made["root"], made["answers"]) == ("folder", str(source), truth)
    assert [entry["file"] for entry in made["images"]] == sorted(truth)
    out = capsys.readouterr().out
    assert "4 images (the release has 50,273) of 4 of 313 objects" in out
    assert "2 show one of the 113 objects that ImageNet has, too (the release has 18,574)" in out
    assert "(1) ObjectNet's images may never be used to tune the parameters of any model" in out
    assert "(2) an image of ObjectNet may be shown on the web only with its red border" in out


@pytest.mark.parametrize("above", [0, 1, 2])
def test_the_release_is_found_by_any_of_its_folders(above: int, tmp_path: Path) -> None:
    images = tmp_path / "data/objectnet-1.0/images"
    truth = nested(images)
    (images / "empty_folder").mkdir()
    assert fetch(tmp_path, [images, *images.parents][above]) == 0
    made = content(tmp_path)
    assert (made["root"], made["answers"]) == (str(images), truth)
    assert [entry["file"].rpartition("/")[2] for entry in made["images"]] == sorted(truth)
    assert {entry["file"].partition("/")[0] for entry in made["images"]} == {"chair", "tape", "t-shirt", "coin_money"}


def test_equal_images_have_equal_fingerprints_however_they_lie(tmp_path: Path) -> None:
    truth = nested(tmp_path / "nested")
    for file in truth:
        picture(tmp_path / "flat" / file, 2)
    write(tmp_path / "flat/answers.json", truth)
    prints = []
    for source in ("nested", "flat"):
        assert fetch(tmp_path, tmp_path / source) == 0
        prints.append(content(tmp_path)["fingerprint"])
    assert prints[0] == prints[1]
    write(tmp_path / "flat/answers.json", {**truth, name(1): 3})
    assert fetch(tmp_path, tmp_path / "flat") == 0
    assert content(tmp_path)["fingerprint"] != prints[0]


def test_a_folder_may_be_without_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flat(tmp_path / "photos")
    assert fetch(tmp_path, tmp_path / "photos") == 0
    assert content(tmp_path)["answers"] == {}
    assert "4 images (the release has 50,273), without answers" in capsys.readouterr().out


def test_answers_are_those_named_then_the_organisers_then_the_only_ones(tmp_path: Path) -> None:
    truth = flat(tmp_path / "sample/images")
    named = write(tmp_path / "named.json", dict.fromkeys(truth, 0))
    write(tmp_path / "sample/answers-objectnet-overlap.json", {name(0): 52})
    assert fetch(tmp_path, tmp_path / "sample") == 0
    assert content(tmp_path)["answers"] == {name(0): 52}
    write(tmp_path / "sample/answers-objectnet-all.json", truth)
    assert fetch(tmp_path, tmp_path / "sample") == 0
    assert content(tmp_path)["answers"] == truth
    assert fetch(tmp_path, tmp_path / "sample", named) == 0
    assert set(content(tmp_path)["answers"].values()) == {0}


def test_images_without_an_answer_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flat(tmp_path / "photos")
    write(tmp_path / "photos/answers.json", {name(0): 52, name(1): 1})
    assert fetch(tmp_path, tmp_path / "photos") == 0
    assert len(content(tmp_path)["images"]) == 4
    assert "2 have no answer and are left out" in capsys.readouterr().out


def test_an_unknown_folder_is_named_with_what_was_meant(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = tmp_path / "images"
    nested(images)
    (images / "chair").rename(images / "chairs")
    assert error(tmp_path, images, capsys) == (f"{images}/chairs is no object of ObjectNet; did you mean 'chair'?")
    (images / "chairs").rename(images / "zzzzz")
    assert error(tmp_path, images, capsys) == (
        f"{images}/zzzzz is no object of ObjectNet; name it as the release does, such as 'alarm_clock'"
    )


def test_two_images_of_one_name_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("chair", "tape"):
        picture(tmp_path / "images" / folder / name(7))
    assert error(tmp_path, tmp_path / "images", capsys) == (
        f"{tmp_path}/images has two images of the name {name(7)}, chair/{name(7)} and tape/{name(7)}; "
        "rename one of them"
    )


def test_a_folder_that_is_neither_flat_nor_nested_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = tmp_path / "images"
    picture(images / "chair" / name(1))
    picture(images / name(2))
    assert error(tmp_path, images, capsys).startswith(
        f"{images} has images of its own and others in folders, such as chair/{name(1)}; have them all in one folder"
    )
    (images / name(2)).unlink()
    (images / "chair/red").mkdir()
    assert error(tmp_path, images, capsys) == (
        f"{images}/chair/red is a folder in an object's folder; put the images into {images}/<object>"
    )


def test_a_folder_without_images_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "photos/chair").mkdir(parents=True)
    (tmp_path / "photos/chair/a.jpg").touch()
    assert error(tmp_path, tmp_path / "photos", capsys) == (
        f"{tmp_path}/photos holds no PNG; set challenges.objectnet.source to the folder with ObjectNet's images"
    )


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({name(0): 313}, f"has answers that are no number from 0 to 312 ({name(0)} is 313)"),
        ({name(0): -1}, f"has answers that are no number from 0 to 312 ({name(0)} is -1)"),
        ({name(0): "52"}, f"has answers that are no number from 0 to 312 ({name(0)} is '52')"),
        ({name(0): True}, f"has answers that are no number from 0 to 312 ({name(0)} is True)"),
        ({}, "must be a JSON object with an object's number for each image"),
        ([1], "must be a JSON object with an object's number for each image"),
        ({"a.png": 1, "b.png": 2}, "names 2 images that are not in {source} (a.png, b.png)"),
    ],
)
def test_answers_that_do_not_fit_are_refused(
    values: Any, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "photos"
    flat(source)
    file = write(tmp_path / "named.json", values)
    wanted = f"{file} {said.replace('{source}', str(source))}; name the answers of these images by challenges."
    assert error(tmp_path, source, capsys, file) == f"{wanted}objectnet.answers"


def test_answers_that_cannot_be_read_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flat(tmp_path / "photos")
    missing = tmp_path / "missing.json"
    assert error(tmp_path, tmp_path / "photos", capsys, missing).startswith(f"{missing} is not there; name the answers")
    torn = tmp_path / "torn.json"
    torn.write_text('{"a": ')
    assert error(tmp_path, tmp_path / "photos", capsys, torn).startswith(f"{torn} must be a JSON object")


def test_several_files_of_answers_are_not_guessed_among(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = flat(tmp_path / "photos")
    for file in ("answers-a.json", "answers-b.json"):
        write(tmp_path / "photos" / file, truth)
    assert error(tmp_path, tmp_path / "photos", capsys) == (
        f"{tmp_path}/photos has several files of answers (answers-a.json, answers-b.json); "
        "name one by challenges.objectnet.answers"
    )


def test_other_sources_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert error(tmp_path, tmp_path / "nowhere", capsys) == (
        f"source {tmp_path}/nowhere is neither 'demo' nor 'remote' nor a folder; "
        "set challenges.objectnet.source to one of them"
    )


def test_what_is_fetched_needs_an_agreement_to_its_licence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fetch(tmp_path, Path("remote")) == 1
    heard = capsys.readouterr().err.splitlines()
    assert any("never be used to tune the parameters of any model" in line for line in heard[:-1])
    assert heard[-1] == (
        "error: add 'ObjectNet-1.0' to the key accept if you agree to the licence of ObjectNet, all images; its terms "
        "stand above"
    )


def test_the_objects_above_are_what_they_are_taken_for() -> None:
    assert [LABELS[number] for number in OBJECTS] == ["Chair", "Tape / duct tape", "T-shirt", "Coin (money)"]
    assert [number in OVERLAP for number in OBJECTS] == [True, False, True, False]
