"""YOLO -> CVAT, with pictures, as a command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.agrigaia_data.conftest import error
from tests.agrigaia_data.results import picture, result, shapes
from workflow.scripts.agrigaia import yolo_to_cvat


def yolo_data(folder: Path, content: dict[str, Any], **labels: str) -> Path:
    for name, text in labels.items():
        path = folder / "labels" / f"{name.replace('__', '/')}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "data.yaml").write_text(yaml.safe_dump(content))
    return folder / "data.yaml"


def convert_yolo(folder: Path, data: Path, *more: str) -> int:
    return yolo_to_cvat.main(["--data", str(data), "--output", str(folder / "out"), *more])


def test_yolo_becomes_boxes_and_polygons_with_pictures(tmp_path: Path) -> None:
    for name in ("images/train/a.jpg", "images/train/b.jpg", "images/val/a.png"):
        picture(tmp_path / name)
    content = {"train": "images/train", "val": "images/val", "nc": 2, "names": ["oat", "beet"]}
    data = yolo_data(
        tmp_path, content, train__a="1 0.5 0.5 0.2 0.5\n\n0 0 0 0.1 0 0.1 0.5\n", val__a="0 0.25 0.5 0.5 1 0.93"
    )
    assert convert_yolo(tmp_path, data) == 0
    assert {name: shapes(one) for name, one in result(tmp_path).items()} == {
        "train_a.jpg": [
            ("box", "beet", ((40, 20), (60, 60))),
            ("box", "oat", ((0, 0), (10, 40))),
            ("polygon", "oat", ((0, 0), (10, 0), (10, 40))),
        ],
        "b.jpg": [],
        "val_a.png": [("box", "oat", ((0, 0), (50, 80)))],
    }


def test_yolo_in_other_layouts(tmp_path: Path) -> None:
    """Roboflow's ../train/images, numbered names, a list of pictures, labels beside the picture."""
    picture(tmp_path / "train/images/a.jpg")
    (tmp_path / "train/labels").mkdir()
    (tmp_path / "train/labels/a.txt").write_text("4 0.5 0.5 1 1")
    picture(tmp_path / "other/b.jpg")
    (tmp_path / "other/b.txt").write_text("2 0.5 0.5 1 1")
    (tmp_path / "list.txt").write_text("./other/b.jpg\n")
    data = yolo_data(tmp_path, {"train": "../train/images", "val": ["list.txt"], "names": {2: "oat", 4: "beet"}})
    assert convert_yolo(tmp_path, data) == 0
    whole = ((0.0, 0.0), (100.0, 80.0))
    assert {name: shapes(one) for name, one in result(tmp_path).items()} == {
        "b.jpg": [("box", "oat", whole)],
        "a.jpg": [("box", "beet", whole)],
    }


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("0 0.5 0.5 x 1", "is not made of numbers"),
        ("2 0.5 0.5 1 1", "has a label or a value that cannot be; 'names' has 2 labels"),
        ("0 nan 0.5 1 1", "has a label or a value that cannot be; 'names' has 2 labels"),
        ("0 0.5 0.5 0 1", "has a box of no size"),
        ("0 0.5 0.5 1", "has 4 numbers; a box has 5, an outline a label and three points or more"),
        ("0 .1 .1 .2 .2 .3 .3 .4", "has 8 numbers; a box has 5, an outline a label and three points or more"),
        ("0 .1 .1 .1 .2 .1 .3", "has an outline of no size"),
    ],
)
def test_a_line_that_cannot_be_is_named(
    line: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture(tmp_path / "images/a.jpg")
    data = yolo_data(tmp_path, {"train": "images", "names": ["oat", "beet"]}, a=f"0 0.5 0.5 1 1\n{line}\n")
    told = f"{tmp_path}/labels/a.txt, line 2, {said}; it is left out"
    assert error(capsys, convert_yolo(tmp_path, data, "--strict")) == told
    assert convert_yolo(tmp_path, data) == 0
    assert capsys.readouterr().err == f"warning: {told}\n"
    assert len(result(tmp_path)["a.jpg"].shapes) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"train": "images"}, "has no 'names'; list there what the labels are called"),
        ({"train": "images", "names": "oat"}, "has 'names' that are neither a list nor numbers with names; mend them"),
        ({"train": "none", "names": ["oat"]}, "has 'train: none', and {folder}/none is not there; correct it"),
        ({"names": ["oat"]}, "leads to no pictures; name their folders as train, val, test"),
        (
            {"train": "data.yaml", "names": ["oat"]},
            "names {folder}/data.yaml, which is neither a folder nor a list of pictures; correct it",
        ),
    ],
)
def test_what_yolos_file_lacks_is_told(
    content: dict[str, Any], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = yolo_data(tmp_path, content)
    assert error(capsys, convert_yolo(tmp_path, data)) == f"--data {data} {said.format(folder=tmp_path)}"


def test_a_file_that_is_no_picture_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture(tmp_path / "images/a.jpg")
    (tmp_path / "images/b.jpg").write_bytes(b"no picture")
    data = yolo_data(tmp_path, {"train": "images", "names": ["oat"]}, a="0 0.5 0.5 1 1", b="0 0.5 0.5 1 1")
    assert convert_yolo(tmp_path, data) == 0
    said = f"{tmp_path}/images/b.jpg cannot be read as a picture (cannot identify image file '{tmp_path}/images/b.jpg')"
    assert capsys.readouterr().err == f"warning: {said}; put it there again\n"
    assert list(result(tmp_path)) == ["a.jpg"]
