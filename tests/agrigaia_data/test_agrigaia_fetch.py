"""The command that finds a data set: its manifest, a folder, and what it refuses in one sentence."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.agrigaia_data.conftest import PICTURES, Fetched, Write, box, error, fetch, image


def test_the_manifest_tells_what_is_there(fetched: Fetched) -> None:
    content = fetched.content
    assert (content["schema"], content["source"], content["id"]) == (1, "demo", "1")
    assert content["annotations"] == "annotations/annotations.xml"
    assert content["labels"] == ["beet", "chamomile", "clean", "maize", "thistle", "weedy"]
    assert content["unannotated"] == ["field_0019.jpg", "field_0023.jpg"]
    assert content["complaints"] == []
    files = [entry["file"] for entry in content["pictures"]]
    assert files == sorted(files)
    assert sorted([*files, *content["unannotated"]]) == [f"field_{number:04}.jpg" for number in range(PICTURES)]
    first = content["pictures"][0]
    assert {**first, "box": 0, "polygon": 0} == {
        **{"file": "field_0000.jpg", "id": "0", "name": "beet/day_1/field_0000.jpg"},
        **{"width": 320, "height": 240, "size": (fetched.root / "field_0000.jpg").stat().st_size},
        **{"box": 0, "polygon": 0, "tag": []},
    }
    assert set(first["box"]) == {"beet"}
    assert first["polygon"] == first["box"]


def test_a_folder_is_used_where_it_lies(copied: Path, fetched: Fetched, tmp_path: Path) -> None:
    assert fetch(tmp_path / "out", copied) == 0
    found = Fetched(tmp_path / "out").content
    assert (found["source"], found["root"], found["id"]) == ("folder", str(copied), "7")
    assert found["fingerprint"] == fetched.content["fingerprint"]
    assert not (tmp_path / "out" / "raw").exists()


def test_an_export_of_cvat_is_one_too(copied: Path, fetched: Fetched, tmp_path: Path) -> None:
    """Its pictures lie in `images`, by the folders of their names."""
    root = tmp_path / "export"
    for entry in fetched.content["pictures"]:
        target = root / "images" / entry["name"]
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(copied / entry["file"], target)
    shutil.copy(copied / "annotations" / "annotations.xml", root)
    assert fetch(tmp_path / "out", root) == 0
    found = Fetched(tmp_path / "out").content
    assert {entry["file"]: entry["box"] for entry in found["pictures"]} == {
        f"images/{entry['name']}": entry["box"] for entry in fetched.content["pictures"]
    }
    assert found["annotations"] == "annotations.xml"


def test_an_edit_of_a_label_makes_other_data(copied: Path, fetched: Fetched, tmp_path: Path) -> None:
    path = copied / "annotations" / "annotations.xml"
    path.write_text(path.read_text().replace('<box label="beet"', '<box label="maize"', 1))
    assert fetch(tmp_path / "out", copied) == 0
    assert Fetched(tmp_path / "out").content["fingerprint"] != fetched.content["fingerprint"]


def test_what_is_wrong_is_told_and_strict_ends_with_it(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write(image("a.jpg", box("oat", 1, 1, 9, 9)) + image("b.jpg", box("oat", 1, 1, 9, 9), 1), "a.jpg")
    said = "b.jpg is annotated and not there; put the picture into the data set"
    assert fetch(tmp_path / "out", root) == 0
    heard = capsys.readouterr()
    assert heard.err == f"warning: {said}\n"
    assert heard.out == f"{root}: 1 annotated pictures and 0 others; 1 box; boxes: oat 1\n"
    assert Fetched(tmp_path / "out").content["complaints"] == [said]
    assert error(capsys, fetch(tmp_path / "strict", root, "--strict")) == said
    assert not (tmp_path / "strict").exists()


def test_sources_that_cannot_be_are_refused(write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert error(capsys, fetch(tmp_path, "remote")) == (
        "challenges.agrigaia.remote.host is empty; set it to the address of the S3 server, such as "
        "https://s3.example.org"
    )
    assert error(capsys, fetch(tmp_path, tmp_path / "none")) == (
        f"source {tmp_path}/none is neither 'demo' nor 'remote' nor a folder; set challenges.agrigaia.source to one of "
        "them"
    )
    assert error(capsys, fetch(tmp_path, tmp_path)) == (
        f"{tmp_path} has no annotations/annotations.xml; export the task from CVAT as 'CVAT for images 1.1' and put "
        "its annotations.xml there"
    )
    root = write("<image", "a.jpg")
    assert "annotations.xml is no sound XML (" in error(capsys, fetch(tmp_path, root))
    root = write(image("b.jpg", box("oat", 1, 1, 9, 9)))
    assert error(capsys, fetch(tmp_path, root)) == (
        f"{root} has no annotated picture that can be used (b.jpg is annotated and not there; put the picture into "
        "the data set)"
    )
