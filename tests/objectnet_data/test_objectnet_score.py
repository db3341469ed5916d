"""What the report says of the containers: the numbers, their intervals, the notes, the table, the picture."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from containers.objectnet.labels import LABELS
from tests.objectnet_data.pictures import name, picture
from workflow.scripts.objectnet.mosaic import GAP, PHOTO, TEXT, pick
from workflow.scripts.objectnet.score import main
from workflow.scripts.slipway.intervals import wilson
from workflow.scripts.slipway.pages.model import section

TRUTH = {name(number): label for number, label in enumerate((52, 52, 29, 89, 65, 176))}  # the last two: not in ImageNet
GUESSES = {
    name(0): (52, 1, 2, 3, 4),  # right
    name(1): (1, 2, 3, 4, 52),  # right among five
    name(2): (1, 2, 3, 4, 5),
    name(3): (89, 1, 2, 3, 4),  # right
    name(4): (1, 65, 2, 3, 4),  # right among five
}  # and no row of the last
CONFIDENCES = (0.62, 0.2, 0.1, 0.05, 0.01)


class Folder:
    def __init__(self, path: Path) -> None:
        self.path, self.cases = path, path / "cases.json"
        for file in TRUTH:
            picture(path / "input" / file, 2, (484, 274))
        self.given(TRUTH)

    def given(self, answers: Mapping[str, int], source: str = "folder") -> None:
        facts = {"schema": 1, "source": source, "root": str(self.path / "input"), "images": len(TRUTH)}
        self.cases.write_text(json.dumps({**facts, "answers": answers}))

    def wrote(self, container: str, guesses: Mapping[str, tuple[int, ...]]) -> str:
        rows = []
        for file, ids in guesses.items():
            pairs = [f"{one},{value}" for one, value in zip(ids, CONFIDENCES, strict=True)]
            rows.append(",".join([f"/input/{file}", *pairs]))
        folder = self.path / container / "output"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "predictions.csv").write_text("\n".join(rows) + "\n")
        return f"{container}={folder}"

    def score(self, *predictions: str) -> int:
        words = ["--cases", str(self.cases), "--predictions", *predictions]
        return main([*words, "--output", str(self.path / "score")])

    def read(self, file: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.path / "score" / file).read_text())
        return content


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_the_numbers_are_those_worked_out_by_hand(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    assert folder.score(folder.wrote("torch", GUESSES)) == 0
    results = folder.read("torch.json")
    assert results == {
        "prediction_file_status": "VALIDATED",
        "prediction_file_errors": [],
        "accuracy": pytest.approx(100 * 2 / 6),
        "top5_accuracy": pytest.approx(100 * 4 / 6),
        "images_scored": 5,
        "total_images": 6,
    }
    overlap = folder.read("torch-overlap.json")
    assert (overlap["accuracy"], overlap["top5_accuracy"]) == (50.0, 75.0)
    assert (overlap["images_scored"], overlap["total_images"]) == (4, 4)
    measures = folder.read("card.json")["metrics"]["objectnet_torch"]
    assert list(measures) == [
        "top-1, all objects",
        "top-5, all objects",
        "top-1, the 113 of ImageNet",
        "top-5, the 113 of ImageNet",
    ]
    assert [(row["accuracy"], row["cases"]) for row in measures.values()] == [
        (pytest.approx(2 / 6), 6),
        (pytest.approx(4 / 6), 6),
        (0.5, 4),
        (0.75, 4),
    ]
    first = measures["top-1, all objects"]
    assert (first["low"], first["high"]) == wilson(2, 6)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert lines[1].split() == ["torch", "top-1,", "all", "objects", "33.33", "9.68", "to", "70.00", "6"]


def test_the_report_shows_the_card(folder: Folder) -> None:
    assert folder.score(folder.wrote("torch", GUESSES), folder.wrote("onnx", GUESSES)) == 0
    page = str(section(folder.read("card.json")))
    assert "by the torch container" in page
    assert "by the onnx container" in page
    assert "<strong>0.333</strong>" in page
    assert "<strong>0.750</strong>" in page
    assert page.index("top-1, all objects") < page.index("top-5, the 113 of ImageNet")


def test_the_notes_tell_what_the_numbers_cannot(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    other = {**GUESSES, name(0): (52, 2, 1, 3, 4), name(2): (7, 8, 9, 10, 11)}
    assert folder.score(folder.wrote("torch", GUESSES), folder.wrote("onnx", other)) == 0
    notes = folder.read("card.json")["notes"]
    assert notes[0] == (
        "Of ObjectNet's 313 objects a network with ImageNet's classes knows 113: of these images it can get 66.7 % "
        "right at most, and 36.9 % of the release."
    )
    missing = f"1 of 6 images have no valid row and count as wrong: {name(5)}."
    assert notes[1:3] == [f"torch: {missing}", f"onnx: {missing}"]
    assert notes[3] == "torch and onnx give the same five objects for 4 of 5 images, and for 3 in the same order."
    assert capsys.readouterr().err.splitlines() == [f"note: {note}" for note in notes]


def test_the_demo_is_called_so(folder: Folder) -> None:
    folder.given(TRUTH, "demo")
    assert folder.score(folder.wrote("torch", GUESSES)) == 0
    assert folder.read("card.json")["notes"][0].endswith("says nothing about ObjectNet.")


def test_images_without_answers_are_not_scored(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    folder.given({})
    assert folder.score(folder.wrote("torch", GUESSES)) == 0
    card = folder.read("card.json")
    assert (card["schema"], card["challenge"], card["metrics"], card["pictures"]) == (1, "objectnet", {}, [])
    (note,) = card["notes"]
    assert note.startswith("These images have no answers, so nothing is scored")
    assert [path.name for path in (folder.path / "score").iterdir()] == ["card.json"]
    assert capsys.readouterr().out == ""
    assert "no answers" in str(section(card))


def test_images_that_imagenet_does_not_know_have_no_overlap_score(folder: Folder) -> None:
    folder.given({name(4): 65})
    assert folder.score(folder.wrote("torch", {name(4): GUESSES[name(4)]})) == 0
    overlap = folder.read("torch-overlap.json")
    assert (overlap["accuracy"], overlap["top5_accuracy"], overlap["total_images"]) == (None, None, 0)
    rows = folder.read("card.json")["metrics"]["objectnet_torch"]
    assert rows["top-1, the 113 of ImageNet"] == {"accuracy": None, "low": None, "high": None, "cases": 0}
    assert "–" in str(section(folder.read("card.json")))


def test_an_invalid_file_ends_it_with_every_kind_of_error(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    word = folder.wrote("torch", {**GUESSES, name(5): (313, 1, 2, 3, 4), "other.png": (1, 2, 3, 4, 5)})
    assert folder.score(word) == 1
    assert capsys.readouterr().err == (
        f"error: {folder.path}/torch/output/predictions.csv of torch is not valid: line 6 ({name(5)}) has the id 313, "
        "which is not from -1 to 312; line 7 names 'other.png', which is no image of these; run the container's test "
        "again\n"
    )
    assert not (folder.path / "score").exists()
    (folder.path / "torch/output/predictions.csv").unlink()
    assert folder.score(word) == 1
    assert "predictions.csv of torch is not valid: predictions.csv is not there; run" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["torch"], ["=x"], ["torch="], ["a=x", "a=y"], ["../a=x"]])
def test_predictions_have_a_name(words: list[str], folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    assert folder.score(*words) == 1
    said = f"error: --predictions {words[-1]} is not NAME=FOLDER with a name of its own; write torch=FOLDER, say\n"
    assert capsys.readouterr().err == said


def test_the_picture_keeps_a_red_border_round_every_image(folder: Folder) -> None:
    """By clause 2 of the licence; and the words below are green where the guess is right, else red."""
    assert folder.score(folder.wrote("torch", GUESSES)) == 0
    (shown,) = folder.read("card.json")["pictures"]
    assert shown["file"] == "mosaic.png"
    assert "torch" in shown["caption"]
    with Image.open(folder.path / "score/mosaic.png") as opened:
        pixels = np.asarray(opened.convert("RGB")).astype(int)
    across, down = PHOTO[0] + GAP, PHOTO[1] + TEXT + GAP
    assert pixels.shape == (2 * down + GAP, 4 * across + GAP, 3)
    order = pick(TRUTH)
    assert sorted(order) == sorted(TRUTH)
    for index, file in enumerate(order):
        x, y = GAP + index % 4 * across, GAP + index // 4 * down
        tile = pixels[y : y + PHOTO[1], x : x + PHOTO[0]]
        red = (tile == (255, 0, 0)).all(-1)
        rows, columns = np.flatnonzero(red.any(1)), np.flatnonzero(red.any(0))
        top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
        assert right - left >= 310
        ring = red[top:bottom, left:right]
        assert ring[:2].all()
        assert ring[-2:].all()
        assert ring[:, :2].all()
        assert ring[:, -2:].all()
        assert not red[top + 2 : bottom - 2, left + 2 : right - 2].any()
        words = pixels[y + PHOTO[1] + 24 : y + PHOTO[1] + TEXT, x : x + PHOTO[0]]
        green = int(((words[..., 1] - words[..., 0]) > 60).sum())
        reddish = int(((words[..., 0] - words[..., 1]) > 60).sum())
        right_guess = GUESSES.get(file, (None,))[0] == TRUTH[file]
        assert (green > 20, reddish > 20) == (right_guess, not right_guess), LABELS[TRUTH[file]]


def test_twelve_images_of_as_many_objects_as_can_be_are_shown() -> None:
    many = {name(number): (52 if number < 90 else number) for number in range(100)}
    shown = pick(many)
    assert len(set(shown)) == 12
    assert len({many[file] for file in shown}) == 11
    assert pick(dict(reversed(many.items()))) == shown


def test_images_in_folders_and_broken_ones_are_shown_too(folder: Folder) -> None:
    (folder.path / "input" / name(0)).write_bytes(b"no picture")
    (folder.path / "input/chair").mkdir()
    (folder.path / "input" / name(1)).rename(folder.path / "input/chair" / name(1))
    assert folder.score(folder.wrote("torch", GUESSES)) == 0
    with Image.open(folder.path / "score/mosaic.png") as opened:
        assert opened.size == (4 * (PHOTO[0] + GAP) + GAP, 2 * (PHOTO[1] + TEXT + GAP) + GAP)


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634), (81, 263, 0.2553, 0.3662)],
)
def test_wilsons_interval(right: int, total: int, low: float, high: float) -> None:
    """The last is a textbook's: 81 of 263."""
    assert list(wilson(right, total)) == pytest.approx([low, high], abs=5e-5)


def test_no_cases_have_no_interval() -> None:
    assert wilson(0, 0) == (None, None)
