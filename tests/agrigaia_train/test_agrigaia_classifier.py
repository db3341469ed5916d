"""The classifier's container, by its own command, on plots that are easy to tell apart: set up, trained, exported."""

from __future__ import annotations

import csv
import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch

from tests.agrigaia_train import flat
from tests.agrigaia_train.conftest import Inside
from tests.agrigaia_train.workspaces import COLOURS, assembled, change, plots, score, start

assert flat
from crops import load  # noqa: E402
from efficientnet import EfficientNet  # noqa: E402

QUICK: dict[str, Any] = {
    "epochs": 5,
    "batch_size": 8,
    "img_size": 64,
    "learning_rate": 0.003,
    "lr_scheduler": "cosine",
    "model": "efficientnet-nano",
    "pretrained": False,
}
LEFT = ("history.csv", "scores.json", "answers.json")
READY = "Executing your training code in train.py::__main__"


@dataclass(frozen=True)
class Run:
    folder: Path
    done: subprocess.CompletedProcess[str]

    @property
    def score(self) -> float | None:
        return score(self.done.stdout, json.loads((self.folder / "custom.json").read_text())["score_regexp"])

    def labels(self, part: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / "datasets" / "labels" / part / "labels.json").read_text())
        return content


def small_export(folder: Path) -> None:
    path = folder / "export_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "input_shapes": [[2, 3, 64, 64]]}))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = assembled(tmp_path_factory.mktemp("classifier") / "work space", "efficientnet", **QUICK)
    plots(folder, 30)
    small_export(folder)
    return Run(folder, start(folder))


def test_it_learns_and_the_platform_finds_the_score(trained: Run) -> None:
    out = trained.done.stdout
    assert trained.done.returncode == 0, out
    assert re.search(rf"Training started: \S+\n{re.escape(READY)}\n", out)
    assert "Learning to tell 3 labels apart by their boxes: beet, maize, thistle\n" in out
    assert "96 pieces to learn from, 24 to judge by; cpu, 1 threads\n" in out
    assert trained.score is not None
    assert trained.score >= 0.9
    last = out[out.index("The weights of epoch") :].splitlines()
    names = [line.rsplit(maxsplit=1)[0].strip() for line in last[-12:-5]]
    assert names == [f"{name} ({kind})" for kind in ("micro", "macro") for name in ("Precision", "Recall", "F1")] + [
        "Accuracy"
    ]
    assert len(re.findall(r"^epoch +\d+/5  loss \d", out, re.MULTILINE)) == 5
    assert "Traceback" not in out


def test_setup_linked_the_pictures_and_wrote_the_labels(trained: Run) -> None:
    data = trained.folder / "datasets"
    links = {part: sorted((data / "images" / part).iterdir()) for part in ("train", "val")}
    assert {part: len(files) for part, files in links.items()} == {"train": 24, "val": 6}
    assert all(link.is_symlink() and link.resolve().parent.name == "1" for files in links.values() for link in files)
    assert not {link.name for link in links["train"]} & {link.name for link in links["val"]}
    for part, files in links.items():
        content = trained.labels(part)
        assert [category["name"] for category in content["categories"]] == sorted(COLOURS)
        assert [image["file_name"] for image in content["images"]] == [link.name for link in files]
        assert len(content["annotations"]) == 4 * len(files)
    config = json.loads((trained.folder / "train_config.json").read_text())
    assert (config["images-dir"], config["output-dir"]) == (str(data / "images"), str(trained.folder / "out"))
    assert config["model-file"] == "model.pt"


def test_the_model_and_its_export_give_the_answers_that_were_scored(trained: Run) -> None:
    content = torch.load(trained.folder / "out" / "model.pt", weights_only=True)
    assert content["facts"] == {
        "task": "classification",
        "model": "efficientnet-nano",
        "classes": sorted(COLOURS),
        "img-size": 64,
    }
    network = EfficientNet("efficientnet-nano", 3).eval()
    network.load_state_dict(content["weights"])
    data = trained.folder / "datasets"
    judges = load(data / "images", data / "labels", "val", 64)
    with torch.no_grad():
        answers = network(judges.frames.batch(range(len(judges)), torch.device("cpu"))).argmax(1)
    assert round(float((answers == judges.labels).float().mean()), 3) == trained.score
    exported = onnx.load(str(trained.folder / "out" / "model.onnx"))
    assert [entry.version for entry in exported.opset_import if entry.domain == ""] == [14]
    assert [value.name for value in (*exported.graph.input, *exported.graph.output)] == ["pixels", "scores"]
    assert re.search(
        r"\nONNX: \S.*/out/model.onnx \(opset 14; pixels \[2, 3, 64, 64\] -> scores\); onnxruntime differs from "
        r"torch by at most \d\S*\n",
        trained.done.stdout,
    )


def test_what_a_report_needs_lies_beside_the_model(trained: Run) -> None:
    out = trained.folder / "out"
    with (out / "history.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["epoch", "train_loss", "val_loss", "score", "lr", "seconds"]
    said = re.findall(
        r"^epoch +(\d+)/5  loss (\S+)  val loss (\S+)  accuracy (\S+) ", trained.done.stdout, re.MULTILINE
    )
    names = ("train_loss", "val_loss", "score")
    assert [(row["epoch"], *(f"{float(row[name]):.4f}" for name in names)) for row in rows] == said
    scores = json.loads((out / "scores.json").read_text())
    assert (scores["task"], scores["judged"], scores["labels"]) == ("classification", 24, sorted(COLOURS))
    assert round(scores["score"], 3) == round(scores["accuracy"], 3) == trained.score
    assert sum(map(sum, scores["counts"])) == 24
    answers = json.loads((out / "answers.json").read_text())
    pieces, truth = answers["pieces"], trained.labels("val")
    assert answers["labels"] == scores["labels"]
    assert [piece["bbox"] for piece in pieces] == [one["bbox"] for one in truth["annotations"]]
    files = {image["id"]: image["file_name"] for image in truth["images"]}
    assert [piece["file"] for piece in pieces] == [files[one["image_id"]] for one in truth["annotations"]]
    assert [piece["label"] + 1 for piece in pieces] == [one["category_id"] for one in truth["annotations"]]
    counts = [[0] * 3 for _ in range(3)]
    for piece in pieces:
        counts[piece["label"]][piece["answer"]] += 1
        assert 1 / 3 <= piece["sure"] <= 1
    assert counts == scores["counts"]


def test_a_second_start_trains_nothing_again_and_tells_the_same(trained: Run) -> None:
    weights = (trained.folder / "out" / "model.pt").read_bytes()
    said = {name: (trained.folder / "out" / name).read_bytes() for name in LEFT}
    (trained.folder / "export_config.json").write_text("{}")
    again = Run(trained.folder, start(trained.folder))
    assert again.done.returncode == 0, again.done.stdout
    assert "last.checkpoint has 5 of 5 epochs of this training; it goes on from there.\n" in again.done.stdout
    assert not re.search(r"^epoch", again.done.stdout, re.MULTILINE)
    assert again.score == trained.score
    assert "ONNX: export_config.json is empty, so nothing is exported to it.\n" in again.done.stdout
    assert "model.onnx of an earlier run is removed, since the platform would take it.\n" in again.done.stdout
    files = ["answers.json", "history.csv", "last.checkpoint", "model.pt", "scores.json"]
    assert sorted(path.name for path in (trained.folder / "out").iterdir()) == files
    assert (trained.folder / "out" / "model.pt").read_bytes() == weights
    assert {name: (trained.folder / "out" / name).read_bytes() for name in said} == said


def test_tags_are_learnt_from_whole_pictures_and_without_judges_there_is_no_score(
    tmp_path: Path, set_up: Inside, train: Inside, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = assembled(tmp_path / "tags", "efficientnet", **{**QUICK, "epochs": 1, "batch_size": 5}, learn_from="tags")
    change(folder, test_split=0, optimizer="SGD", lr_scheduler="ReduceLROnPlateau", augmentation="none", strict=True)
    presets = json.loads((folder / "presets.json").read_text())
    (folder / "presets.json").write_text(json.dumps({**presets, "model-file": "model.torchscript"}))
    (folder / "export_config.json").write_text("{}")
    plots(folder, 7)
    set_up(folder, "efficientnet")
    said = "Learning to tell 2 labels apart by their tags: dry, wet\ntrain: 5 pictures\nval: 0 pictures\n"
    assert capsys.readouterr().out == said
    train(folder, "efficientnet")
    out = capsys.readouterr().out
    assert out.endswith("There is nothing to judge by, and so no score: test-split is 0.\n")
    assert "best of" not in out
    lines = (folder / "out" / "history.csv").read_text().splitlines()
    assert [word for word in lines[1].split(",")[2:4] if word] == []
    assert not (folder / "out" / "scores.json").exists()
    content = json.loads((folder / "datasets" / "labels" / "train" / "labels.json").read_text())
    assert [annotation["bbox"] for annotation in content["annotations"]] == [[0.0, 0.0, 160.0, 120.0]] * 5
    assert torch.jit.load(str(folder / "out" / "model.torchscript"))(torch.rand(1, 3, 80, 64)).shape == (1, 2)


def without(folder: Path, what: str, changed: str = "") -> None:
    path = folder / "minio" / "datasets" / "1" / "annotations" / "annotations.xml"
    path.write_text(re.sub(what, changed, path.read_text()))


def test_what_cannot_be_learnt_is_told_by_setup_in_a_sentence(
    tmp_path: Path, set_up: Inside, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = assembled(tmp_path / "work", "efficientnet", learn_from="leaves")
    plots(folder, 8)

    def said() -> str:
        with pytest.raises(SystemExit) as error:
            set_up(folder, "efficientnet")
        return str(error.value)

    assert said() == "error: train_config.json: learn-from is 'leaves'; choose one of auto, boxes, tags"
    change(folder, learn_from="boxes")
    without(folder, "beet|maize|thistle", "plant")
    assert said() == "error: the data set has only the label plant to learn from boxes; a classifier needs two"
    without(folder, "<box [^>]*>")
    assert said() == "error: no picture has a box; draw some in CVAT, or set learn-from to tags"
    change(folder, learn_from="auto")
    without(folder, 'name="farm/plot 003.jpg"([^>]*)>', r'name="farm/plot 003.jpg"\1><tag label="dry"/>')
    capsys.readouterr()
    set_up(folder, "efficientnet")
    done = capsys.readouterr()
    assert done.err == f"warning: {folder}/minio/datasets/1/plot 003.jpg has several tags; it is left out\n"
    assert "labels apart by their tags: dry, wet\ntrain: 5 pictures\nval: 2 pictures\n" in done.out
