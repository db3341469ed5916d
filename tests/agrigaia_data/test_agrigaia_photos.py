"""Real aerial photos with boxes that people drew: those of the package deepforest, as a data set of the platform.

It is fetched from the package index when a test asks for it, and a test that cannot have it fails.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from defusedxml import ElementTree
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from sklearn.metrics import roc_auc_score

from containers.agrigaia.common.cvat_xml import Picture, Shape
from tests.agrigaia_data import flat
from tests.agrigaia_data.conftest import Fetched, fetch
from workflow.scripts.agrigaia import coco_to_cvat
from workflow.scripts.agrigaia.cvat_write import write
from workflow.scripts.slipway.packages import Package
from workflow.scripts.slipway.packages import fetch as fetch_package

assert flat.COMMON.is_dir()  # and on the path
from cvat_dataset import get_cvat_dataset  # noqa: E402

DEEPFOREST = Package(
    "deepforest",
    "2.1.0",
    "deepforest-2.1.0-py3-none-any.whl",
    "8c2798d8e9be7f0004b194fe207b76c1d9fff6e711b3db67b9508dcd5d00ae54",
)
DATA = "deepforest/data"
TABLES = {"OSBS_029.png": "testfile_deepforest.csv", "SOAP_061.png": "testfile_multi.csv"}
VOC = "2019_YELL_2_541000_4977000_image_crop"
Row = tuple[str, tuple[float, float], tuple[float, float]]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of three photos, as jpg, in the platform's form."""
    root = tmp_path_factory.mktemp("photos") / "datasets" / "12"
    root.mkdir(parents=True)
    pictures = []
    with zipfile.ZipFile(fetch_package(DEEPFOREST, root.parents[1] / "packages")) as wheel:
        rows = {name: of_csv(wheel.read(f"{DATA}/{table}").decode(), name) for name, table in TABLES.items()}
        rows[f"{VOC}.png"] = of_voc(wheel.read(f"{DATA}/{VOC}.xml"))
        for number, (name, boxes) in enumerate(rows.items()):
            with Image.open(io.BytesIO(wheel.read(f"{DATA}/{name}"))) as photo:
                jpg = Path(name).with_suffix(".jpg").name
                photo.convert("RGB").save(root / jpg, quality=90)
                shapes = tuple(Shape("box", label, (low, high)) for label, low, high in boxes)
                pictures.append(Picture(str(number), f"neon/{jpg}", *photo.size, shapes))
    labels = sorted({shape.label for one in pictures for shape in one.shapes})
    write(root / "annotations" / "annotations.xml", "trees", labels, pictures)
    return root


def of_csv(text: str, name: str) -> list[Row]:
    lines = [line for line in csv.DictReader(io.StringIO(text)) if line["image_path"] == name]
    return [
        (line["label"], (float(line["xmin"]), float(line["ymin"])), (float(line["xmax"]), float(line["ymax"])))
        for line in lines
    ]


def of_voc(text: bytes) -> list[Row]:
    found = []
    for one in ElementTree.fromstring(text).iter("object"):
        left, top, right, bottom = (float(one.findtext(f"bndbox/{key}")) for key in ("xmin", "ymin", "xmax", "ymax"))
        found.append((one.findtext("name"), (left, top), (right, bottom)))
    return found


def test_the_photos_are_a_data_set(photos: Path, tmp_path: Path) -> None:
    assert fetch(tmp_path, photos, "--strict") == 0
    content = Fetched(tmp_path).content
    assert content["labels"] == ["Alive", "Dead", "Tree"]
    counts = {entry["file"]: Counter(entry["box"]) for entry in content["pictures"]}
    assert counts["OSBS_029.jpg"] == {"Tree": 61}
    assert counts["SOAP_061.jpg"] == {"Dead": 28, "Alive": 9}
    assert counts[f"{VOC}.jpg"] == {"Tree": 279}


def test_pycocotools_evaluates_their_boxes(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import folders

    monkeypatch.setenv("DATASET_ID", photos.name)
    monkeypatch.setattr(folders, "MOUNTED_DATASETS_ROOT_PATH", photos.parent)
    data = get_cvat_dataset(strict=True)
    (tmp_path / "labels.json").write_text(
        json.dumps(data.as_coco(data.label_names, data.files_of("detection"), "detection"))
    )
    truth = COCO(str(tmp_path / "labels.json"))
    keys = ("image_id", "category_id", "bbox")
    guesses = [{**{key: one[key] for key in keys}, "score": 0.9} for one in truth.loadAnns(truth.getAnnIds())]
    evaluation = COCOeval(truth, truth.loadRes(guesses), "bbox")
    evaluation.params.maxDets = [1, 10, 400]
    evaluation.evaluate()
    evaluation.accumulate()
    assert evaluation.eval["precision"][..., 0, 2].min() == pytest.approx(1.0)
    assert len(guesses) == 61 + 28 + 9 + 279
    words = ["--labels", str(tmp_path / "labels.json"), "--images", str(photos), "--output", str(tmp_path / "back")]
    assert coco_to_cvat.main([*words, "--strict"]) == 0
    before, after = ((root / "annotations/annotations.xml").read_text() for root in (photos, tmp_path / "back"))
    assert sorted(line for line in before.splitlines() if "<box" in line) == sorted(
        line for line in after.splitlines() if "<box" in line
    )
    capsys.readouterr()


def test_living_trees_are_greener_than_dead_ones_where_the_boxes_lie(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a wrong axis or scale the boxes would hold anything."""
    import folders

    monkeypatch.setenv("DATASET_ID", photos.name)
    monkeypatch.setattr(folders, "MOUNTED_DATASETS_ROOT_PATH", photos.parent)
    with Image.open(photos / "SOAP_061.jpg") as photo:
        red, green, blue = np.moveaxis(np.asarray(photo, float), 2, 0)
    excess = (2 * green - red - blue) / (red + green + blue)
    means: dict[str, list[float]] = {"Alive": [], "Dead": []}
    turned: dict[str, list[float]] = {"Alive": [], "Dead": []}
    for shape in get_cvat_dataset().pictures[photos / "SOAP_061.jpg"].of("box"):
        (left, top), (right, bottom) = ((int(x), int(y)) for x, y in shape.points)
        means[shape.label].append(excess[top:bottom, left:right].mean())
        turned[shape.label].append(excess[left:right, top:bottom].mean())
    living = [1] * len(means["Alive"]) + [0] * len(means["Dead"])
    assert roc_auc_score(living, means["Alive"] + means["Dead"]) > 0.95
    assert roc_auc_score(living, turned["Alive"] + turned["Dead"]) < 0.7
