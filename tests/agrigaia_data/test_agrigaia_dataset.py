"""A data set inside the container: its labels as COCO and YOLO have them, its links, and what `strict` decides."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from pycocotools.coco import COCO

from tests.agrigaia_data import flat
from tests.agrigaia_data.conftest import PICTURES, Write, box, image

assert flat.COMMON.is_dir()  # and on the path
import folders  # noqa: E402
from cvat_dataset import get_cvat_dataset  # noqa: E402
from cvat_xml import DataError  # noqa: E402
from yolo import write_data, write_labels  # noqa: E402

Use = Callable[[Path], None]


def pair(write: Write) -> Path:
    shapes = box("oat", 10, 20, 40.5, 60) + '<polygon label="beet" points="0,0;30,0;30,40"/><tag label="beet"/>'
    images = image("cvat/a.jpg", shapes) + image("cvat/b.jpg", box("beet", 0, 0, 100, 80), 1) + image("c.jpg", "", 2)
    return write(images, "a.jpg", "b.jpg", "c.jpg", "d.jpg")


def test_coco_has_flat_outlines_areas_and_stable_numbers(write: Write, use: Use) -> None:
    root = pair(write)
    use(root)
    data = get_cvat_dataset()
    assert data.label_names == ("beet", "oat")
    assert list(data.pictures) == [root / "a.jpg", root / "b.jpg"]
    categories = [{"id": 1, "name": "beet"}, {"id": 2, "name": "oat"}]
    files = list(data.pictures)
    assert data.as_coco(data.label_names, files) == {
        "categories": categories,
        "images": [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 80}],
        "annotations": [
            {
                **{"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "bbox": [0, 0, 30, 40]},
                **{"area": 600, "segmentation": [[0, 0, 30, 0, 30, 40]]},
            }
        ],
    }
    boxes = data.as_coco(data.label_names, files, "classification")
    assert [entry["bbox"] for entry in boxes["annotations"]] == [[10, 20, 30.5, 40], [0, 0, 100, 80]]
    assert [entry["category_id"] for entry in boxes["annotations"]] == [2, 1]
    assert [entry["area"] for entry in boxes["annotations"]] == [1220, 8000]
    assert boxes == data.as_coco(data.label_names, files, "detection")
    (tag,) = data.as_coco(["beet"], files, "tags")["annotations"]
    assert (tag["bbox"], tag["category_id"], tag["image_id"]) == ([0, 0, 100, 80], 1, 1)
    assert data.as_coco(["oat"], [root / "b.jpg"], "detection")["images"] == []


def test_a_classifier_learns_tags_where_nothing_has_a_box(write: Write, use: Use) -> None:
    images = image("a.jpg", '<tag label="oat"/>') + image("b.jpg", '<tag label="beet"/>', 1)
    use(write(images, "a.jpg", "b.jpg"))
    data = get_cvat_dataset()
    files = data.files_of("classification")
    found = data.as_coco(data.label_names, files, "classification")
    assert [entry["category_id"] for entry in found["annotations"]] == [2, 1]
    with pytest.raises(DataError, match="no picture has a polygon; draw some in CVAT, or learn something else"):
        data.files_of("segmentation")
    with pytest.raises(DataError, match="'boxes' is no type of a data set; choose one of segmentation, detection"):
        data.files_of("boxes")


def test_yolo_has_shares_of_the_picture_and_numbers_from_nought(write: Write, use: Use, tmp_path: Path) -> None:
    root = pair(write)
    use(root)
    data = get_cvat_dataset()
    lines = data.as_yolo(data.label_names, list(data.pictures))
    assert lines == {
        root / "a.jpg": ["1 0.25250000 0.50000000 0.30500000 0.50000000"],
        root / "b.jpg": ["0 0.50000000 0.50000000 1.00000000 1.00000000"],
    }
    assert data.as_yolo(["oat"], list(data.pictures)) == {
        root / "a.jpg": ["0 0.25250000 0.50000000 0.30500000 0.50000000"]
    }
    write_labels(tmp_path / "labels", {"x/a.jpg": lines[root / "a.jpg"], "b.jpg": []})
    assert (tmp_path / "labels/x/a.txt").read_text() == "1 0.25250000 0.50000000 0.30500000 0.50000000\n"
    assert not (tmp_path / "labels/b.txt").exists()
    write_data(tmp_path / "dataset.yaml", Path("/datasets"), ["Hafer", "Rübe"])
    assert yaml.safe_load((tmp_path / "dataset.yaml").read_text()) == {
        **{"path": "/datasets", "train": "images/train", "val": "images/val"},
        **{"nc": 2, "names": {0: "Hafer", 1: "Rübe"}},
    }


def test_what_is_wrong_is_told_and_strict_makes_it_an_error(
    write: Write, use: Use, capsys: pytest.CaptureFixture[str]
) -> None:
    oat = box("oat", 1, 1, 9, 9)
    images = [image(f"{name}.jpg", oat, number) for number, name in enumerate("abcd")]
    images[1] = image("b.jpg", box("oat", 90, 1, 120, 9), 1)
    root = write("".join(images), "a.jpg", "b.jpg", "d.jpg", "e.jpg")
    Image.new("RGB", (80, 100)).save(root / "d.jpg")
    use(root)
    data = get_cvat_dataset()
    xml = root / "annotations" / "annotations.xml"
    told = [
        f"{xml}: image 1 (b.jpg): box 1 reaches 20 pixels out of the picture of 100 x 80; it is cut at the edge",
        "c.jpg is annotated and not there; put the picture into the data set",
        f"{root}/d.jpg is 80 x 100 and was annotated as 100 x 80; take both from one export",
        f"{root}/e.jpg has no annotations; it is left out",
    ]
    assert capsys.readouterr().err.splitlines() == [f"warning: {one}" for one in told]
    assert list(data.complaints) == told
    assert list(data.pictures) == [root / "a.jpg", root / "b.jpg"]
    with pytest.raises(DataError) as caught:
        get_cvat_dataset(strict=True)
    assert caught.value.sentence == told[0]


def test_pycocotools_loads_the_demo(copied: Path, use: Use, tmp_path: Path) -> None:
    use(copied)
    data = get_cvat_dataset()
    for kind in ("segmentation", "detection", "tags"):
        path = tmp_path / f"{kind}.json"
        path.write_text(json.dumps(data.as_coco(data.label_names, data.files_of(kind), kind)))
        coco = COCO(str(path))
        entries = coco.loadAnns(coco.getAnnIds(iscrowd=False))
        assert len(coco.getImgIds()) == len(data.files_of(kind))
        assert {entry["id"] for entry in coco.loadCats(coco.getCatIds())} == set(range(1, 7))
        for entry in entries[:40]:
            mask = coco.annToMask(entry)
            assert mask.shape == (240, 320)
            assert mask.sum() == pytest.approx(entry["area"], abs=0.1 * entry["area"] + 30)
            rows, columns = np.nonzero(mask)
            left, top, width, height = entry["bbox"]
            assert left - 1 <= columns.min() <= columns.max() <= left + width
            assert top - 1 <= rows.min() <= rows.max() <= top + height


SETUP = """
import json, sys
from cvat_dataset import get_cvat_dataset
from dataset import DATA_DIRS, DATASETS_ROOT_PATH, create_directory_structure, create_images, create_labels
from yolo import write_data, write_labels
data = get_cvat_dataset()
create_directory_structure()
labels = data.labels_of("box")
files = data.files_of("detection")
for part, chosen in zip(("train", "val"), data.split(files, {})):
    create_images(part, {file: data.names[file] for file in chosen})
    lines = {data.names[file]: found for file, found in data.as_yolo(labels, chosen).items()}
    create_labels(part, lambda folder: write_labels(folder, lines))
    with open(DATASETS_ROOT_PATH / f"{part}.json", "w") as stream:
        json.dump(data.as_coco(labels, chosen, "detection"), stream)
write_data(DATASETS_ROOT_PATH / "dataset.yaml", DATASETS_ROOT_PATH, labels)
print(sorted(DATA_DIRS), *labels)
"""


def test_a_set_up_by_the_environment_is_the_same_each_time(copied: Path, tmp_path: Path) -> None:
    """As in the image: the modules side by side, started by plain python."""
    datasets = tmp_path / "datasets"
    environment = {**os.environ, "AGRIGAIA_MINIO": str(copied.parent), "AGRIGAIA_DATASETS": str(datasets)}
    environment |= {"DATASET_ID": "7", "PYTHONPATH": str(flat.COMMON)}
    (copied / "sub").mkdir()
    (copied / "field_0000.jpg").rename(copied / "sub" / "field_0000.jpg")
    seen = []
    for seed in ("1", "2"):  # of Python's hashes: the order of labels must not hang on it
        done = subprocess.run(
            [sys.executable, "-c", SETUP],
            env={**environment, "PYTHONHASHSEED": seed},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == "['images', 'labels'] beet chamomile maize thistle\n"
        paths = sorted(path for path in datasets.rglob("*") if not path.is_dir())
        seen.append({str(path): path.read_bytes() for path in paths})
        links = [path for path in paths if path.is_symlink()]
        (datasets / "images/train/left.jpg").touch()  # what a start that was stopped may leave
    assert seen[0] == seen[1]
    assert len(links) == PICTURES - 2
    for link in links:
        assert link.resolve().is_relative_to(copied)
        label = Path(str(link).replace("/images/", "/labels/")).with_suffix(".txt")
        assert label.is_file()
    assert {link.parent.name for link in links} == {"train", "val", "sub"}
    images = [json.loads((datasets / f"{part}.json").read_text())["images"] for part in ("train", "val")]
    assert sorted(len(part) for part in images) == [
        round(0.2 * len(links) + 0.4),
        len(links) - round(0.2 * len(links) + 0.4),
    ]
    for part, entries in zip(("train", "val"), images, strict=True):
        assert all((datasets / "images" / part / entry["file_name"]).is_file() for entry in entries)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "DATASET_ID is not set; give the container the number of a data set"),
        ("..", "DATASET_ID '..' is no name of a folder; give the one below {minio}"),
        ("5/../5", "DATASET_ID '5/../5' is no name of a folder; give the one below {minio}"),
        ("/etc", "DATASET_ID '/etc' is no name of a folder; give the one below {minio}"),
        ("6", "{minio}/6 is not there; mount the data sets, or give DATASET_ID another one's number"),
    ],
)
def test_the_data_sets_name_must_be_one(
    name: str, said: str, write: Write, use: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = pair(write)
    use(root)
    monkeypatch.setenv("DATASET_ID", name)
    with pytest.raises(DataError) as caught:
        folders.get_dataset_path()
    assert caught.value.sentence == said.format(minio=root.parent)


def test_annotations_must_lie_in_the_data_set(write: Write, use: Use, tmp_path: Path) -> None:
    root = pair(write)
    use(root)
    path = root / "annotations" / "annotations.xml"
    path.rename(root / "annotations.xml")  # where CVAT's export has them
    assert len(get_cvat_dataset().pictures) == 2
    (root / "annotations.xml").rename(tmp_path / "other.xml")
    with pytest.raises(DataError, match=r"annotations/annotations\.xml is not there; export from CVAT as 'CVAT for"):
        get_cvat_dataset()
    path.symlink_to(tmp_path / "other.xml")
    with pytest.raises(DataError, match=r"annotations\.xml is a link out of the data set; put the file itself there"):
        get_cvat_dataset()


def test_nothing_to_learn_from_is_told(write: Write, use: Use) -> None:
    root = write(image("a.jpg"), "a.jpg")
    use(root)
    with pytest.raises(DataError, match="has no picture with annotations that can be used; the warnings say why"):
        get_cvat_dataset()
    (root / "a.jpg").unlink()
    with pytest.raises(DataError, match="holds no pictures; put them there"):
        get_cvat_dataset()
