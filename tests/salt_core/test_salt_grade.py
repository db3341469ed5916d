"""The command that scores a submission."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from containers.salt.rle import encode
from tests.salt_core import slow
from workflow.scripts.salt import grade

# Counts of pixels from the first one on: the truth, and what is predicted.
PAIRS = {"a": (0, 0), "b": (0, 5), "c": (500, 0), "d": (1000, 650), "e": (1021, 1021), "f": (10201, 9000)}


def run(folder: Path, pairs: dict[str, tuple[int, int]]) -> tuple[int, dict[str, Any]]:
    sides = [{name: encode(slow.first_pixels(pair[side])) for name, pair in pairs.items()} for side in (0, 1)]
    truth = slow.table(folder / "train.csv", sides[0])
    predictions = slow.table(folder / "submission.csv", sides[1])
    return main(folder, truth, predictions)


def main(folder: Path, truth: Path, predictions: Path) -> tuple[int, dict[str, Any]]:
    output = folder / "results.json"
    status = grade.main(["--truth", str(truth), "--predictions", str(predictions), "--output", str(output)])
    content: dict[str, Any] = json.loads(output.read_text())
    return status, content


def test_scores_cases_and_coverage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, content = run(tmp_path, PAIRS)
    assert status == 0
    assert content["valid"] is True
    assert content["images"] == 6
    assert content["score"] == pytest.approx((1 + 0 + 0 + 0.3 + 1 + 0.8) / 6)
    assert content["cases"] == {
        "both empty": {"images": 1, "score": 1.0},
        "only the truth has salt": {"images": 1, "score": 0.0},
        "only the prediction has salt": {"images": 1, "score": 0.0},
        "both have salt": {"images": 3, "score": pytest.approx(0.7)},
    }
    classes = {each["class"]: (each["coverage"], each["images"], each["score"]) for each in content["coverage"]}
    assert len(classes) == 11
    assert classes[0] == ("none", 2, 0.5)
    assert classes[1] == ("0% to 10%", 2, pytest.approx(0.15))
    assert classes[2] == ("10% to 20%", 1, 1.0)  # 1021 pixels are a bit more than a tenth
    assert classes[10] == ("90% to 100%", 1, 0.8)
    assert classes[5] == ("40% to 50%", 0, None)
    printed = capsys.readouterr().out
    assert [line.split() for line in printed.splitlines() if line.startswith(("all images", "both empty"))] == [
        ["all", "images", "6", "0.5167"],
        ["both", "empty", "1", "1.0000"],
    ]
    assert "not scored" not in printed


def test_only_images_that_both_name_are_scored_and_the_others_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = slow.table(tmp_path / "train.csv", {"b": "1 5", "a": "1 1", "c": ""})
    predictions = slow.table(tmp_path / "it.csv", {"a": "1 1", "x": "2 2", "y": ""})
    status, content = main(tmp_path, truth, predictions)
    assert (status, content["images"], content["score"]) == (0, 1, 1.0)
    assert (content["without_truth"], content["without_prediction"]) == (2, 2)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "not scored: 2 images that only the truth names, 2 that only the submission names"


def test_an_invalid_submission_has_no_score(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = slow.table(tmp_path / "train.csv", {"a": "1 5", "b": ""})
    predictions = slow.table(tmp_path / "it.csv", {"b": "", "a": "0 5"})
    status, content = main(tmp_path, truth, predictions)
    assert (status, content["valid"], content["images"], content["score"]) == (1, False, 0, None)
    sentence = "line 3 of it.csv (a) has a wrong mask, which starts a run at 0; the first pixel is 1"
    assert content["errors"] == [sentence]
    printed = capsys.readouterr()
    assert printed.out == ""
    warning = "warning: line 3 of it.csv (a) stands behind b; sort the lines by their ids"
    assert printed.err.splitlines() == [warning, f"error: {predictions} is no valid submission: {sentence}"]


def test_no_common_image_and_no_truth_are_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = slow.table(tmp_path / "train.csv", {"a": "1 5"})
    predictions = slow.table(tmp_path / "it.csv", {"x": ""})
    assert main(tmp_path, truth, predictions)[0] == 1
    said = f"error: {predictions} names no image of {truth}; give the truth of its images\n"
    assert capsys.readouterr().err == said
    slow.table(truth, {"a": "1 5"}, header="id,mask")
    assert grade.main(["--truth", str(truth), "--predictions", str(predictions)]) == 1
    said = "train.csv begins with 'id,mask'; its first line must be id,rle_mask"
    assert capsys.readouterr().err == f"error: --truth {truth} gives no truth: {said}\n"
    slow.table(truth, {"x": "1 5"})
    (tmp_path / "file").touch()
    words = ["--truth", str(truth), "--predictions", str(predictions), "--output", str(tmp_path / "file" / "it.json")]
    assert grade.main(words) == 1
    assert "it.json cannot be written (" in capsys.readouterr().err
