"""How good the container's model is: the platform's score beside its own, by label, with curves and a picture."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.agrigaia_score import left
from tests.agrigaia_score.left import Trial
from workflow.scripts.agrigaia import sheet
from workflow.scripts.slipway.intervals import wilson


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return left.trial(tmp_path)


def table(trial: Trial) -> list[dict[str, str]]:
    with (trial.folder / "score" / "scores.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_platforms_score_stands_beside_the_containers_own(trial: Trial, capsys: pytest.CaptureFixture[str]) -> None:
    assert trial.score() == 0
    card = trial.card
    assert (card["schema"], card["challenge"]) == (1, "agrigaia")
    assert list(card["metrics"]) == ["agrigaia_platform", "agrigaia_container", "agrigaia_container_labels"]
    assert card["metrics"]["agrigaia_platform"] == {"Acc.": {"score": 0.842, "low": None, "high": None, "cases": 19}}
    low, high = wilson(16, 19)
    overall = card["metrics"]["agrigaia_container"]
    assert overall["accuracy"] == {"accuracy": pytest.approx(16 / 19), "low": low, "high": high, "cases": 19}
    assert overall["mean F1"] == {"f1": 0.842, "low": None, "high": None, "cases": 19}
    assert [note for note in card["notes"] if "platform" in note] == []
    told = capsys.readouterr()
    assert told.out.splitlines()[1].split() == ["Acc.", "0.842", "-", "19"]
    assert told.err.splitlines() == [f"note: {note}" for note in card["notes"]]


def test_each_label_has_its_shares_with_intervals(trial: Trial) -> None:
    assert trial.score() == 0
    labels = trial.card["metrics"]["agrigaia_container_labels"]
    assert list(labels) == [f"{name}: {what}" for name in left.LABELS for what in ("recall", "precision", "F1")]
    for name, what, part, whole in (("beet", "recall", 9, 10), ("maize", "precision", 7, 8), ("maize", "recall", 7, 9)):
        low, high = wilson(part, whole)
        row = {what: pytest.approx(part / whole), "low": low, "high": high, "cases": whole}
        assert labels[f"{name}: {what}"] == row
    assert labels["thistle: recall"] == {"recall": None, "low": None, "high": None, "cases": 0}
    rows = table(trial)
    assert [row["label"] for row in rows] == list(left.LABELS)
    assert [rows[1][name] for name in ("pieces", "answered", "right")] == ["9", "8", "7"]
    assert float(rows[0]["precision"]) == pytest.approx(9 / 11, abs=1e-6)


def test_the_curves_are_of_the_history_without_numbers_that_json_has_not(trial: Trial) -> None:
    assert trial.score() == 0
    assert trial.card["history"] == [
        {"epoch": 1, "train_loss": 1.5, "val_loss": 1.25, "accuracy": 0.5, "lr": 0.01},
        {"epoch": 2, "train_loss": 0.75, "val_loss": None, "accuracy": 0.842105, "lr": 0.005},
    ]


def test_a_detectors_scores(trial: Trial) -> None:
    trial.leave(scores_json=left.detected(), answers_json=left.boxes())
    trial.judge(0.375)
    assert trial.score() == 0
    overall, labels = (trial.card["metrics"][f"agrigaia_container{part}"] for part in ("", "_labels"))
    assert {name: next(iter(row.values())) for name, row in overall.items()} == {
        "mAP@.5:.95": 0.375, "mAP@.5": 0.625, "precision": 0.75, "recall": 0.5,
    }  # fmt: skip
    assert labels["beet: mAP@.5"] == {"map50": 0.625, "low": None, "high": None, "cases": 3}
    assert labels["maize: mAP@.5:.95"] == {"map": None, "low": None, "high": None, "cases": 0}
    assert [row["map"] for row in table(trial)] == ["0.375000", ""]
    assert [row.get("map") for row in trial.card["history"]] == [0.5, 0.842105]
    assert trial.card["notes"][1].startswith("Judged by 2 pictures with 3 boxes, none of which was learnt from; but")
    assert trial.card["pictures"] == [{"file": "sheet.png", "caption": sheet.PICTURES}]
    with Image.open(trial.folder / "score" / "sheet.png") as picture:
        colours = {colour for _, colour in picture.getcolors(1 << 20) or []}
    assert {tuple(bytes.fromhex(colour[1:])) for colour in (sheet.TRUE, sheet.FOUND)} <= colours


def test_the_last_starts_score_counts_and_one_that_differs_is_a_note(
    trial: Trial, capsys: pytest.CaptureFixture[str]
) -> None:
    trial.judge(0.842, 0.5)
    assert trial.score() == 0
    said = "The platform reads 0.500 from the log, where scores.json says 0.8421; mend what train.py prints last."
    assert trial.card["notes"][-1] == said
    assert trial.card["metrics"]["agrigaia_platform"]["Acc."]["score"] == 0.5
    assert f"note: {said}\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("own", "value", "same"), [(0.81346, 0.814, True), (0.81346, 0.813, True), (0.81346, 0.815, False), (1, 1.0, True)]
)
def test_a_table_of_four_decimals_may_be_rounded_twice(trial: Trial, own: float, value: float, same: bool) -> None:
    """0.81346 is printed as 0.8135, which the platform rounds up; printed whole, it is rounded down."""
    trial.leave(scores_json={**left.classified(), "score": own})
    trial.judge(value)
    assert trial.score() == 0
    assert ("The platform reads" not in trial.card["notes"][-1]) is same


@pytest.mark.parametrize("runs", [[None], []])
def test_where_the_test_read_no_score_it_is_said(trial: Trial, runs: list[Any]) -> None:
    trial.judge(*runs)
    assert trial.score() == 0
    said = "The test read no score from the container's log, so the platform would show none."
    assert trial.card["notes"][-1] == said
    assert trial.card["metrics"]["agrigaia_platform"]["Acc."]["score"] is None
    assert list(trial.card["metrics"])[1:] == ["agrigaia_container", "agrigaia_container_labels"]


def test_an_architecture_that_leaves_nothing_but_a_model_has_the_platforms_score(trial: Trial) -> None:
    trial.leave(scores_json=None, answers_json=None, history_csv=None)
    assert trial.score() == 0
    card = trial.card
    assert list(card["metrics"]) == ["agrigaia_platform"]
    assert card["metrics"]["agrigaia_platform"]["Acc."] == {"score": 0.842, "low": None, "high": None, "cases": None}
    assert (card["history"], card["pictures"]) == ([], [])
    assert card["notes"][-1] == "The training left no scores.json and history.csv, so that less of it is shown here."
    assert table(trial) == []


def test_demo_data_are_said_to_be_drawn_and_others_are_not(trial: Trial) -> None:
    assert trial.score() == 0
    drawn = "These fields are drawn: the score shows that all parts work together, and says nothing about real fields."
    assert trial.card["notes"][0] == drawn
    assert trial.card["notes"][1].startswith(
        "Judged by 19 labelled pieces, none of which was learnt from; but the best"
    )
    left.write(trial.folder / "manifest.json", left.manifest(trial.folder / "data", "folder"))
    assert trial.score() == 0
    assert [note for note in trial.card["notes"] if "drawn" in note] == []


def test_the_picture_shows_the_surest_errors_first_and_is_the_same_each_time(trial: Trial) -> None:
    rows = left.pieces()["pieces"]
    picked = sheet.pick(rows, lambda row: row["sure"] if row["answer"] != row["label"] else -row["sure"])
    assert [row["answer"] for row in picked] == [1] * 6 + [0] * 6
    wrong = [row["sure"] for row in picked[:6]]
    assert wrong == sorted(wrong, reverse=True)
    assert sorted(picked[6:], key=lambda row: row["sure"]) == picked[6:]
    assert sheet.pick(rows[:1], lambda row: row["sure"]) == rows[:1]
    assert trial.score() == 0
    path = trial.folder / "score" / "sheet.png"
    first = path.read_bytes()
    with Image.open(path) as picture:
        assert picture.size == (4 * 200 + 10, 3 * 240 + 10)
        colours = {colour for _, colour in picture.getcolors(1 << 20) or []}
    assert {(128, 96, 64), (32, 64, 128)} <= colours  # both pictures' pieces
    assert trial.score() == 0
    assert path.read_bytes() == first


def test_pictures_that_are_gone_are_not_drawn(trial: Trial) -> None:
    for name in left.NAMES:
        (trial.folder / "data" / name).unlink()
    assert trial.score() == 0
    assert trial.card["pictures"] == []
    assert not (trial.folder / "score" / "sheet.png").exists()


def test_names_of_the_container_lead_nowhere(trial: Trial) -> None:
    left.write(trial.folder / "secret.jpg", "no picture")
    answers = left.pieces()
    for row in answers["pieces"]:
        row["file"] = "../secret.jpg"
    trial.leave(answers_json=answers)
    assert trial.score() == 0
    assert trial.card["pictures"] == []


def faults(trial: Trial, kind: str) -> str:
    """Make something wrong; what is said of it."""
    out = trial.output
    if kind == "no output":
        trial.leave(scores_json=None, answers_json=None, history_csv=None)
        out.rmdir()
        return f"{out} is not there; run the rule that makes it"
    if kind == "no verdict":
        (trial.folder / "train" / "verdict.json").write_text("{}")
        return f"{trial.folder}/train/verdict.json has no 'runs'; run the rule that makes it"
    if kind == "no name":
        left.write(trial.folder / "custom.json", {"score_name": " "})
        return f"{trial.folder}/custom.json has no words as score_name; give it those that the platform shows"
    if kind == "other task":
        trial.leave(scores_json={"task": "sorting", "score": 1})
        return (
            f"{out}/scores.json has no task of classification, detection with judged and score; write none, or mend it"
        )
    if kind == "other form":
        trial.leave(scores_json={"task": "detection", "score": 1, "judged": 1})
        return f"{out}/scores.json is not as Slipway's train.py writes it (KeyError: 'boxes'); mend it"
    if kind == "no json":
        trial.leave(scores_json="{")
        return f"{out}/scores.json is not readable as JSON ("
    if kind == "answers":
        trial.leave(answers_json={"labels": [], "pieces": [{"file": "a.jpg"}]})
        return f"{out}/answers.json is not as Slipway's train.py writes it (KeyError: 'answer'); write none, or mend it"
    if kind == "words":
        trial.leave(history_csv="epoch,loss\n1,much\n")
        return f"{out}/history.csv is no table of numbers (could not convert string to float: 'much'); train.py must"
    trial.leave(history_csv="step,loss\n1,2\n")
    return f"{out}/history.csv has no column 'epoch'; train.py must write one, or no such file"


KINDS = ["no output", "no verdict", "no name", "other task", "other form", "no json", "answers", "words", "columns"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_does_not_fit_is_one_sentence(trial: Trial, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = faults(trial, kind)
    assert trial.score() == 1
    err = capsys.readouterr().err
    assert err.startswith(f"error: {said}")
    assert err.count("\n") == 1
    assert not (trial.folder / "score").exists()


def test_the_card_is_json_without_infinite_numbers(trial: Trial) -> None:
    assert trial.score() == 0
    text = (trial.folder / "score" / "card.json").read_text()
    json.loads(text, parse_constant=lambda word: pytest.fail(word))
