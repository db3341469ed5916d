"""The detector's container, by its own command, on plots that are easy to find; broken off and started again."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from tests.agrigaia_train import flat
from tests.agrigaia_train.conftest import Inside
from tests.agrigaia_train.workspaces import COLOURS, HEIGHT, WIDTH, assembled, plots, run, score, start

assert flat
import plots as yolo_plots  # noqa: E402
from mean_ap import overlap  # noqa: E402
from network import Detector, answers  # noqa: E402

EPOCHS, SIZE = 12, 96


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    quick = {"epochs": EPOCHS, "batch_size": 2, "img_size": SIZE, "learning_rate": 0.003, "lr_scheduler": "cosine"}
    made = assembled(
        tmp_path_factory.mktemp("detector") / "dev", "detector", **quick, model="efficientnet-nano", pretrained=False
    )
    plots(made, 25)
    (made / "export_config.json").write_text("{}")
    return made


@pytest.fixture(scope="module")
def broken_off(folder: Path) -> str:
    """What a training says that is killed in its second epoch."""
    assert run(folder, "python", "setup.py").returncode == 0
    command = "exec python train.py $(python config_to_args.py)"
    known = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    known |= {"PYTHONUNBUFFERED": "1"}
    said = []
    with subprocess.Popen(["bash", "-c", command], cwd=folder, env=known, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if line.startswith("epoch   1/"):
                process.send_signal(signal.SIGKILL)
    return "".join(said)


@pytest.fixture(scope="module")
def trained(folder: Path, broken_off: str) -> subprocess.CompletedProcess[str]:
    assert f"epoch   1/{EPOCHS}" in broken_off
    return start(folder)


def test_it_goes_on_and_learns_and_the_platform_finds_the_score(
    folder: Path, trained: subprocess.CompletedProcess[str]
) -> None:
    out = trained.stdout
    assert trained.returncode == 0, out
    assert re.search(rf"last.checkpoint has [12] of {EPOCHS} epochs of this training; it goes on from there.\nep", out)
    assert "Learning to find 3 labels: beet, maize, thistle\n" in out
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines()[-10:] if len(line.split()) == 7}
    assert sorted(rows) == ["all", *sorted(COLOURS)]
    assert rows["all"][:2] == ["5", "20"]
    assert float(rows["all"][4]) >= 0.7
    expression = json.loads((folder / "custom.json").read_text())["score_regexp"]
    assert score(out, expression) == round(float(rows["all"][5]), 3)
    assert float(rows["all"][5]) >= 0.3


def test_what_a_report_needs_lies_beside_the_model(folder: Path, trained: subprocess.CompletedProcess[str]) -> None:
    """Of all epochs, though the container was killed after some."""
    with (folder / "out" / "history.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [int(row["epoch"]) for row in rows] == list(range(1, EPOCHS + 1))
    best = max(float(row["score"]) for row in rows)
    scores = json.loads((folder / "out" / "scores.json").read_text())
    assert scores["score"] == scores["map"] == pytest.approx(best, abs=1e-6)
    table = {line.split()[0]: line.split()[1:] for line in trained.stdout.splitlines()[-10:] if len(line.split()) == 7}
    keys = ("precision", "recall", "map50", "map")
    for name, row in scores["per_label"].items():
        assert [str(row["pictures"]), str(row["boxes"]), *(f"{row[key]:.4f}" for key in keys)] == table[name]
    assert [str(scores["judged"]), str(scores["boxes"]), *(f"{scores[key]:.4f}" for key in keys)] == table["all"]
    answers = json.loads((folder / "out" / "answers.json").read_text())
    for picture in answers["pictures"]:
        told = (folder / "datasets" / "labels" / "val" / picture["file"]).with_suffix(".txt").read_text().splitlines()
        for line, (left, top, right, bottom, label) in zip(told, picture["true"], strict=True):
            x, y, wide, tall = [
                float(word) * side for word, side in zip(line.split()[1:], (WIDTH, HEIGHT) * 2, strict=True)
            ]
            assert [left, top, right, bottom] == pytest.approx(
                [x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2], abs=0.06
            )
            assert label == int(line.split()[0])
    found = [box for picture in answers["pictures"] for box in picture["found"]]
    assert len(found) >= 10
    assert all(0 <= box[0] < box[2] <= WIDTH and box[5] >= 0.25 for box in found)


def test_the_labels_are_yolos(folder: Path, trained: subprocess.CompletedProcess[str]) -> None:
    assert trained.returncode == 0
    data = yaml.safe_load((folder / "datasets" / "dataset.yaml").read_text())
    assert (data["nc"], data["names"]) == (3, dict(enumerate(sorted(COLOURS))))
    for part, count in (("train", 20), ("val", 5)):
        images = sorted((folder / "datasets" / data[part]).iterdir())
        labels = sorted((folder / "datasets" / "labels" / part).iterdir())
        assert [path.stem for path in labels] == [path.stem for path in images]
        assert len(labels) == count
        for path in labels:
            rows = [[float(word) for word in line.split()] for line in path.read_text().splitlines()]
            assert len(rows) == 4
            assert all(20 / WIDTH <= row[3] <= 34 / WIDTH and 20 / HEIGHT <= row[4] <= 34 / HEIGHT for row in rows)


def test_the_saved_model_finds_the_plots(folder: Path, trained: subprocess.CompletedProcess[str]) -> None:
    assert trained.returncode == 0
    content = torch.load(folder / "out" / "model.pt", weights_only=True)
    assert content["facts"]["classes"] == sorted(COLOURS)
    network = Detector(content["facts"]["model"], 3).eval()
    network.load_state_dict(content["weights"])
    data = folder / "datasets"
    judges = yolo_plots.load(data / "images", data / "labels", "val", SIZE, 3)
    with torch.no_grad():
        found = network(judges.frames.batch(range(len(judges)), torch.device("cpu")))
    hits = []
    for one, (true, labels) in zip(found, judges.truth, strict=True):
        low, high = one[:2] - one[2:4] / 2, one[:2] + one[2:4] / 2
        boxes, sure, told = answers(one[4:].T, torch.cat([low, high]).T, SIZE)
        assert torch.equal(sure, sure.sort(descending=True).values)
        shares = overlap(true.double().numpy(), boxes[:4].double().numpy())
        hits += [(shares[row].max() > 0.5) and int(told[shares[row].argmax()]) == int(labels[row]) for row in range(4)]
    assert np.mean(hits) >= 0.7


def test_a_data_set_without_names_or_pictures_is_told(
    folder: Path, tmp_path: Path, train: Inside, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dataset.yaml").write_text("nc: 2\n")
    with pytest.raises(SystemExit, match=r"^error: .*dataset.yaml tells no names of classes \('names'\); let setup.py"):
        yolo_plots.class_names(tmp_path / "dataset.yaml")
    (tmp_path / "dataset.yaml").write_text("names: {0: a, 1: b}\n")
    assert yolo_plots.class_names(tmp_path / "dataset.yaml") == ["a", "b"]
    places = {"data": str(tmp_path / "dataset.yaml"), "images-dir": str(tmp_path), "output-dir": str(tmp_path)}
    config = {**json.loads((folder / "train_config.json").read_text()), **places, "labels-dir": str(tmp_path)}
    (tmp_path / "train_config.json").write_text(json.dumps(config))
    with pytest.raises(SystemExit, match=r"^error: .*/train has no pictures to learn from; raise train-split$"):
        train(tmp_path, "detector")
    assert capsys.readouterr().out == ""
