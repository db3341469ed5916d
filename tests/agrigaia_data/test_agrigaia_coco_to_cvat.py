"""COCO -> CVAT, with pictures, as a command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from containers.agrigaia.common.cvat_xml import read
from tests.agrigaia_data.conftest import error
from tests.agrigaia_data.results import picture, result, shapes
from workflow.scripts.agrigaia import coco_to_cvat
from workflow.scripts.agrigaia.convert import flat_names

BOX = {"id": 1, "image_id": 1, "category_id": 3, "bbox": [10, 20, 30, 40], "area": 1200, "iscrowd": 0}
CATEGORIES = [{"id": 3, "name": "oat"}, {"id": 9, "name": "beet"}]


def coco_file(
    folder: Path, *annotations: dict[str, Any], name: str = "a.json", file: str = "a.jpg", **more: Any
) -> Path:
    images = [{"id": 1, "file_name": file, "width": 100, "height": 80}]
    content = {"images": images, "annotations": list(annotations), "categories": CATEGORIES, **more}
    (folder / name).write_text(json.dumps(content))
    return folder / name


def convert_coco(folder: Path, *labels: Path, more: tuple[str, ...] = ()) -> int:
    words = ["--labels", *map(str, labels), "--images", str(folder / "images"), "--output", str(folder / "out")]
    return coco_to_cvat.main([*words, *more])


def test_coco_becomes_boxes_and_polygons_with_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("train/a.jpg", "train/b.jpg", "val/a.jpg"):
        picture(tmp_path / "images" / name)
    outlined = {
        **BOX,
        "category_id": 9,
        "segmentation": [[1, 1, 9, 1, 9, 9], [20, 20, 30, 20, 30, 31.5]],
        "bbox": [1, 1, 29, 30.5],
    }
    first = coco_file(tmp_path, BOX, outlined, file="train/a.jpg")
    second = coco_file(
        tmp_path, {**BOX, "segmentation": [[10, 20, 40, 20, 40, 60, 10, 60]]}, name="b.json", file="val/a.jpg"
    )
    third = coco_file(tmp_path, name="c.json", file="train/b.jpg")
    assert convert_coco(tmp_path, first, second, third) == 0
    found = result(tmp_path)
    box = ("box", "oat", ((10, 20), (40, 60)))
    assert {name: shapes(one) for name, one in found.items()} == {
        "train_a.jpg": [
            box,
            ("box", "beet", ((1, 1), (30, 31.5))),
            ("polygon", "beet", ((1, 1), (9, 1), (9, 9))),
            ("polygon", "beet", ((20, 20), (30, 20), (30, 31.5))),
        ],
        "b.jpg": [],
        "val_a.jpg": [box],
    }
    assert read(tmp_path / "out/annotations/annotations.xml").labels == ("beet", "oat")
    assert (tmp_path / "out/b.jpg").read_bytes() == (tmp_path / "images/train/b.jpg").read_bytes()
    assert capsys.readouterr().out == f"{tmp_path}/out: 3 pictures with 3 box, 2 polygon of 2 labels\n"


@pytest.mark.parametrize(("wanted", "kinds"), [("boxes", ["box", "box"]), ("polygons", ["box", "polygon"])])
def test_what_is_taken_of_outlined_objects_can_be_chosen(wanted: str, kinds: list[str], tmp_path: Path) -> None:
    picture(tmp_path / "images" / "a.jpg")
    labels = coco_file(tmp_path, BOX, {**BOX, "segmentation": [[1, 1, 9, 1, 9, 9]]})
    assert convert_coco(tmp_path, labels, more=("--shapes", wanted)) == 0
    assert [shape.kind for shape in result(tmp_path)["a.jpg"].shapes] == kinds


def test_sizes_that_coco_lacks_are_the_pictures(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "a.jpg", 64, 48)
    assert convert_coco(tmp_path, coco_file(tmp_path, BOX, images=[{"id": 1, "file_name": "a.jpg"}])) == 0
    one = result(tmp_path)["a.jpg"]
    assert (one.width, one.height, shapes(one)) == (64, 48, [("box", "oat", ((10, 20), (40, 48)))])


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        ({"image_id": 2}, "is of an image or a category that is not there"),
        ({"category_id": 1}, "is of an image or a category that is not there"),
        ({"iscrowd": 1}, "is of a crowd, which CVAT has no shape for"),
        ({"bbox": [1, 2, 0, 4]}, "has no bbox of a size"),
        ({"bbox": None}, "has no bbox of a size"),
        ({"bbox": [1, 2, "3", 4]}, "has no bbox of a size"),
        ({"segmentation": [[1, 2, 3]]}, "has a segmentation that is no list of x, y, x, y, ..."),
        ({"segmentation": {"counts": []}, "bbox": []}, "has run lengths and no bbox"),
    ],
)
def test_an_annotation_that_cannot_be_is_named(
    annotation: dict[str, Any], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture(tmp_path / "images" / "a.jpg")
    labels = coco_file(tmp_path, BOX, {**BOX, "id": 7, **annotation})
    assert error(capsys, convert_coco(tmp_path, labels, more=("--strict",))) == (
        f"{labels}: annotation 7 {said}; it is left out"
    )
    assert not (tmp_path / "out").exists()
    assert convert_coco(tmp_path, labels) == 0
    assert capsys.readouterr().err == f"warning: {labels}: annotation 7 {said}; it is left out\n"
    assert len(result(tmp_path)["a.jpg"].shapes) == 1


def test_what_coco_lacks_is_told_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = tmp_path / "a.json"
    assert error(capsys, convert_coco(tmp_path, labels)) == (
        f"--images {tmp_path}/images is not a folder; name the one with the pictures"
    )
    picture(tmp_path / "images" / "a.jpg")
    assert error(capsys, convert_coco(tmp_path, labels)) == (
        f"--labels {labels} cannot be read (No such file or directory); name a file with COCO's labels"
    )
    labels.write_text("{")
    assert error(capsys, convert_coco(tmp_path, labels)).startswith(f"--labels {labels} is not JSON (")
    labels.write_text('{"images": [], "annotations": [1]}')
    assert error(capsys, convert_coco(tmp_path, labels)) == (
        f"--labels {labels} has no list 'annotations' as COCO's instances have it; name another file"
    )
    assert error(capsys, convert_coco(tmp_path, coco_file(tmp_path, BOX, file="../x.jpg"))) == (
        "nothing to convert: ../x.jpg is annotated and not there; put the picture into the data set"
    )
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    assert error(capsys, convert_coco(tmp_path, coco_file(tmp_path, BOX))) == (
        f"--output {tmp_path}/out is there already; name a folder that is made"
    )
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"]


def test_names_without_folders_differ() -> None:
    files = [
        Path(f"/d/{name}") for name in ("a/x.jpg", "b/x.jpg", "b/X.png", "y.jpg", "a/b_z.jpg", "a_b/z.jpg", "c/z.jpg")
    ]
    names = flat_names(files)
    assert list(names.values()) == ["a_x.jpg", "b_x.jpg", "b_X-2.png", "y.jpg", "b_z.jpg", "a_b_z.jpg", "c_z.jpg"]


def test_a_name_that_xml_cannot_have_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture(tmp_path / "images" / "a.jpg")
    labels = coco_file(tmp_path, BOX, categories=[{"id": 3, "name": "o\x07t"}])
    assert error(capsys, convert_coco(tmp_path, labels)) == (
        "the name 'o\\x07t' holds a character that XML cannot have; rename it"
    )
    assert not (tmp_path / "out").exists()
