"""The real template, on plots that are easy to tell apart, on this host."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import torch

from tests.agrigaia_score.templates import Host
from tests.agrigaia_train.workspaces import COLOURS, plots
from workflow.scripts.agrigaia import fetch, template

QUICK = {"epochs": 4, "batch-size": 8, "img-size": 64, "learning-rate": 0.003, "lr-scheduler": "cosine"}
QUICK |= {"model": "efficientnet-nano", "pretrained": False}


def test_a_classifier_is_trained_and_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = Host(tmp_path)
    words = ["--architecture", "efficientnet", "--train", json.dumps(QUICK), "--output", str(one.template)]
    assert template.main(words) == 0
    words = ["--source", str(plots(tmp_path, 24)), "--scratch", str(tmp_path / "raw")]
    assert fetch.main([*words, "--manifest", str(tmp_path / "manifest.json")]) == 0
    assert one.train() == 0
    names = ["card.json", "history.csv", "model.onnx", "model.pt", "scores.json", "train.log"]
    assert sorted(path.name for path in one.artifact.iterdir()) == names
    assert torch.load(one.artifact / "model.pt", weights_only=True)["facts"]["classes"] == sorted(COLOURS)
    scores = json.loads((one.artifact / "scores.json").read_text())
    card = one.card
    assert list(card["metrics"]) == ["agrigaia_here", "agrigaia_here_labels"]
    accuracy = card["metrics"]["agrigaia_here"]["accuracy"]
    assert accuracy["accuracy"] == scores["accuracy"] >= 0.8
    assert accuracy["low"] < accuracy["accuracy"] <= accuracy["high"]
    assert accuracy["cases"] == 4 * 5  # a fifth of the pictures
    with (one.artifact / "history.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["epoch"] for row in card["history"]] == [int(row["epoch"]) for row in rows] == [1, 2, 3, 4]
    assert max(row["accuracy"] for row in card["history"]) == pytest.approx(scores["accuracy"], abs=1e-6)
    assert card["config"]["train"]["model"] == "efficientnet-nano"
    assert {"python", "torch"} <= card["versions"].keys()
    assert (one.artifact / "train.log").read_text() in capsys.readouterr().out
