"""The container's output scored against the labels: the numbers, the card, the table, the picture, the refusals."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from containers.amos.organs import ORGANS
from tests.amos_data.release import AFFINE, write
from workflow.scripts.amos.score import main

SHAPE = (20, 18, 10)
VOXEL = 2.0 * 2.0 * 5.0


def truth(missing: int = 0) -> np.ndarray[Any, Any]:
    """A box of 3 x 3 x 3 voxels for each organ."""
    labels = np.zeros(SHAPE, np.uint8)
    for organ in ORGANS:
        row, column = divmod(organ - 1, 4)
        labels[1 + 4 * column : 4 + 4 * column, 1 + 4 * row : 4 + 4 * row, 3:6] = organ * (organ != missing)
    return labels


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    """Two cases, of which the second has no gall bladder; the predictions are right but for the first's spleen."""
    for name, modality, missing in (("a", "MR", 0), ("b", "CT", 4)):
        labels = truth(missing)
        write(tmp_path / "labels" / f"amos_{name}.nii.gz", labels)
        write(tmp_path / "input" / f"{name}.nii.gz", (labels * 10).astype(np.int16))
        found = labels.copy()
        if modality == "MR":
            found[1, 1:4, 3:6] = 0
        write(tmp_path / "output" / f"{name}.nii.gz", found)
    entries = [
        {"file": f"{n}.nii.gz", "id": f"amos_{n}", "modality": m, "label": str(tmp_path / f"labels/amos_{n}.nii.gz")}
        for n, m in (("a", "MR"), ("b", "CT"))
    ]
    path = tmp_path / "cases.json"
    path.write_text(json.dumps({"schema": 1, "root": str(tmp_path / "input"), "held_out": True, "cases": entries}))
    return path


def score(cases: Path, **metric: float) -> int:
    folder = cases.parent
    words = ["--cases", str(cases), "--predictions", str(folder / "output"), "--metric", json.dumps(metric)]
    return main([*words, "--output", str(folder / "score"), "--workers", "1"])


def test_the_numbers_are_those_worked_out_by_hand(cases: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert score(cases) == 0
    with (cases.parent / "score/scores.csv").open() as stream:
        rows = {(row["case"], row["organ"]): row for row in csv.DictReader(stream)}
    assert len(rows) == 2 * 15
    spleen = rows["amos_a", "spleen"]
    assert spleen["modality"] == "MR"
    assert float(spleen["dsc"]) == pytest.approx(2 * 18 / 45, abs=1e-6)
    assert 0.3 < float(spleen["nsd"]) < 0.9
    assert (float(spleen["truth_mm3"]), float(spleen["predicted_mm3"])) == (27 * VOXEL, 18 * VOXEL)
    assert (rows["amos_b", "gall bladder"]["dsc"], rows["amos_b", "gall bladder"]["nsd"]) == ("", "")
    assert float(rows["amos_b", "spleen"]["dsc"]) == 1.0
    card = json.loads((cases.parent / "score/card.json").read_text())
    assert (card["schema"], card["challenge"], list(card["metrics"])) == (1, "amos", ["holdout_dsc", "holdout_nsd"])
    dsc, nsd = card["metrics"]["holdout_dsc"], card["metrics"]["holdout_nsd"]
    assert list(dsc) == ["mean of organs", "mean of cases", *ORGANS.values()]
    assert dsc["spleen"]["dsc"] == pytest.approx((0.8 + 1) / 2)
    assert dsc["mean of organs"]["dsc"] == pytest.approx((0.9 + 14) / 15)
    assert dsc["mean of cases"]["dsc"] == pytest.approx(((0.8 + 14) / 15 + 1) / 2)
    assert (dsc["gall bladder"]["dsc"], dsc["gall bladder"]["cases"]) == (1.0, 1)
    assert dsc["gall bladder"]["note"] == "in neither truth nor prediction of 1 case, left out"
    assert nsd["spleen"]["note"] == "within 1 mm, not the organisers' word"
    assert nsd["gall bladder"]["note"].startswith("in neither")
    assert (
        "The tolerance of the NSD, 1 mm, is a setting of Slipway; the organisers' value is not known." in card["notes"]
    )
    table = capsys.readouterr().out
    (line,) = [line for line in table.splitlines() if line.startswith("spleen")]
    assert line.split()[1] == "0.900"
    assert len(table.splitlines()) == 1 + 2 + 15


def test_what_the_report_page_takes_for_the_value_is_the_value(cases: Path) -> None:
    from workflow.scripts.slipway.pages.model import section

    assert score(cases) == 0
    page = str(section(json.loads((cases.parent / "score/card.json").read_text())))
    assert "<strong>0.900</strong>" in page
    assert page.index("mean of organs") < page.index("spleen") < page.index("prostate/uterus")


def test_the_tolerance_is_a_setting(cases: Path) -> None:
    assert score(cases, tolerance=20) == 0
    nsd = json.loads((cases.parent / "score/card.json").read_text())["metrics"]["holdout_nsd"]["spleen"]
    assert nsd["nsd"] == 1.0
    assert nsd["note"] == "within 20 mm, not the organisers' word"


def test_training_cases_are_called_so(cases: Path) -> None:
    cases.write_text(json.dumps({**json.loads(cases.read_text()), "held_out": False}))
    assert score(cases) == 0
    card = json.loads((cases.parent / "score/card.json").read_text())
    assert list(card["metrics"]) == ["training_dsc", "training_nsd"]
    assert card["notes"][-1].startswith("No labelled case was held out")


def test_a_picture_shows_the_ct_with_the_colours_of_truth_and_prediction(cases: Path) -> None:
    """Where the prediction has no spleen, its colour is in the truth's picture alone."""
    labels = truth()
    write(cases.parent / "output/b.nii.gz", np.where(labels == 1, 0, labels).astype(np.uint8))
    assert score(cases) == 0
    picture = np.asarray(Image.open(cases.parent / "score/overlay.png").convert("RGB")).astype(int)
    assert picture.shape[0] > 300
    assert picture.shape[1] > 900
    third = picture.shape[1] // 3
    purple = (picture[..., 2] > 120) & (picture[..., 0] > 100) & (picture[..., 1] < 0.7 * picture[..., 0])
    upper = purple[: int(0.75 * picture.shape[0])]  # above the legend
    counts = [np.count_nonzero(upper[:, index * third : (index + 1) * third]) for index in range(3)]
    assert counts[0] == 0
    assert counts[1] > 500
    assert counts[2] < 50


def error_of(cases: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert score(cases) == 1
    assert not (cases.parent / "score").exists()
    return capsys.readouterr().err.splitlines()[-1]


def test_all_that_is_wrong_with_the_output_is_said_at_once(cases: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = cases.parent / "output"
    (output / "a.nii.gz").unlink()
    write(output / "b.nii.gz", truth()[:-1])
    error = error_of(cases, capsys)
    assert error.startswith(f"error: 2 of 2 cases cannot be scored: {output}/a.nii.gz is not there")
    assert f"{output}/b.nii.gz has (19, 18, 10) voxels" in error


@pytest.mark.parametrize(
    ("voxels", "affine", "sentence"),
    [
        (truth() + 1, AFFINE, "has values other than 0 to 15"),
        (truth() * 0.5, AFFINE, "has values other than 0 to 15"),
        (truth(), np.diag([2.0, 2.0, 5.0, 1.0]), "lies elsewhere than"),
    ],
)
def test_an_output_that_is_no_label_map_of_the_image_is_refused(
    cases: Path,
    voxels: np.ndarray[Any, Any],
    affine: np.ndarray[Any, Any],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(cases.parent / "output/a.nii.gz", voxels, affine)
    assert sentence in error_of(cases, capsys)


@pytest.mark.parametrize("content", [b"", b"no gzip", b"\x1f\x8b torn"])
def test_an_output_that_cannot_be_read_is_named(
    cases: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (cases.parent / "output/a.nii.gz").write_bytes(content)
    assert "output/a.nii.gz is not readable as NIfTI" in error_of(cases, capsys)


def test_a_label_map_of_floats_counts_by_its_numbers(cases: Path) -> None:
    write(cases.parent / "output/b.nii.gz", truth(4).astype(np.float64))
    assert score(cases) == 0
    card = json.loads((cases.parent / "score/card.json").read_text())
    assert card["metrics"]["holdout_dsc"]["liver"]["dsc"] == 1.0
