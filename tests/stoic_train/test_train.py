"""A whole training: what it learns, what it leaves, and what it does when it is started again."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from containers.kit.errors import UserError
from containers.kit.files import read_json, sha256
from containers.stoic import train, train_fold
from containers.stoic.job import Job
from containers.stoic.metric import auc
from tests.stoic_train.synthetic import make_job, settings


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_it_learns(trained: Job) -> None:
    metrics = read_json(trained.artifact / "card.json")["metrics"]
    assert metrics["holdout"]["severe"]["auc"] >= 0.9
    assert metrics["holdout"]["covid"]["auc"] >= 0.9
    assert metrics["out_of_fold"]["covid"]["cases"] == 18
    assert (
        metrics["holdout"]["covid"]["low"] <= metrics["holdout"]["covid"]["auc"] <= metrics["holdout"]["covid"]["high"]
    )


def test_the_artifact_is_what_prediction_needs(trained: Job) -> None:
    names = {path.name for path in trained.artifact.iterdir()}
    assert names == {"fold0.safetensors", "fold1.safetensors", "model.json", "card.json", "card.md"}
    model = read_json(trained.artifact / "model.json")
    assert model["model"] == "tests.stoic_train.nets:Tiny"
    assert model["preprocess"]["size"] == [16, 16, 16]
    for fold in model["folds"]:
        assert sha256(trained.artifact / fold["file"]) == fold["sha256"]
        weights = load_file(trained.artifact / fold["file"])
        assert set(weights) == set(trained_network(trained).state_dict()), "no optimizer state"


def trained_network(job: Job) -> torch.nn.Module:
    from containers.stoic.artifact import read_recipe

    return read_recipe(job.artifact).network()


def test_the_card_says_where_it_comes_from(trained: Job) -> None:
    card = read_json(trained.artifact / "card.json")
    assert card["revision"] == "abc123"
    assert card["data"] == {
        "fingerprint": trained.data, "cases": 24, "holdout": 6, "severe": 8, "mild": 8, "negative": 8,
    }  # fmt: skip
    assert card["config"]["train"]["lr"] == 0.01
    assert card["versions"]["torch"] == torch.__version__
    assert [row["fold"] for row in card["folds"]] == [0, 1]
    assert [(row["fold"], row["epoch"]) for row in card["history"]] == [(f, e) for f in (0, 1) for e in range(1, 13)]
    assert not any("seconds" in row for row in (*card["folds"], *card["history"])), "equal trainings give equal cards"
    text = (trained.artifact / "card.md").read_text()
    assert f"revision abc123; python {card['versions']['python']}" in text
    assert f"{card['metrics']['holdout']['severe']['auc']:.3f}" in text


def test_metrics_csv_has_each_epoch_once(trained: Job) -> None:
    rows = table(trained.logs / "metrics.csv")
    assert list(rows[0]) == ["fold", "epoch", "train_loss", "val_loss", "auc_severe", "auc_covid", "lr", "seconds"]
    assert [(row["fold"], row["epoch"]) for row in rows] == [(str(f), str(e)) for f in (0, 1) for e in range(1, 13)]
    assert float(rows[11]["train_loss"]) < float(rows[0]["train_loss"])
    best = read_json(trained.fold(0).folder / "best.json")["row"]
    scores = [(float(row["auc_severe"]), -float(row["val_loss"])) for row in rows[:12]]
    assert scores[best["epoch"] - 1] == max(scores), "the best AUC of severity, then the smaller loss"


def test_predictions_are_of_the_fold_that_did_not_see_the_case(trained: Job) -> None:
    rows = table(trained.logs / "out_of_fold.csv")
    held = {str(case.id): str(fold) for fold, part in enumerate(trained.split.folds) for case in part}
    assert {row["PatientID"]: row["fold"] for row in rows} == held
    kept = table(trained.logs / "holdout.csv")
    assert {row["PatientID"] for row in kept} == {str(case.id) for case in trained.split.holdout}
    labels = {case.id: case.severe for case in trained.cases if case.covid}
    positive = [row for row in kept if int(row["PatientID"]) in labels]
    found = auc(
        np.array([labels[int(row["PatientID"])] for row in positive]),
        np.array([float(row["probSevere"]) for row in positive]),
    )
    assert found == read_json(trained.artifact / "card.json")["metrics"]["holdout"]["severe"]["auc"]


def test_started_again_it_trains_nothing_and_gives_the_same(
    trained: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a finished fold was trained again")

    shutil.copytree(trained.scratch, tmp_path / "scratch")
    again = replace(trained, scratch=tmp_path / "scratch", artifact=tmp_path / "artifact")
    tmp_path.joinpath("artifact").mkdir()
    (tmp_path / "artifact/.fold0.abc.safetensors").write_text("left by a killed run")
    (tmp_path / "artifact/fold7.safetensors").write_text("of another training")
    monkeypatch.setattr(train_fold, "train_fold", refuse)
    train.learn(again)
    for path in trained.artifact.iterdir():
        assert (again.artifact / path.name).read_bytes() == path.read_bytes()
    assert len(list(again.artifact.iterdir())) == 5


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"loaders": 2, "checkpoint_minutes": 5, "only_folds": [1], "where": "host"}, True),
        ({"lr": 0.02}, False),
        ({"seed": 3}, False),
        ({"augment": {"noise": 0.5}}, False),
        ({"processes": 2}, False),
        ({"model": "tests.stoic_train.nets:Steady"}, False),
    ],
)
def test_the_key_is_of_what_weights_depend_on(
    change: dict[str, object], same: bool, data: Path, tmp_path: Path
) -> None:
    assert (make_job(data, tmp_path, **change).key == make_job(data, tmp_path).key) is same


def test_other_data_have_another_fingerprint(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data, tmp_path / "copy")
    assert make_job(tmp_path / "copy", tmp_path).data == make_job(data, tmp_path).data
    volume = np.load(tmp_path / "copy/cases/3.npy")
    volume[8, 0, 0] += 0.01
    np.save(tmp_path / "copy/cases/3.npy", volume)
    assert make_job(tmp_path / "copy", tmp_path).data != make_job(data, tmp_path).data


def test_only_folds_and_positives_and_demographics(data: Path, tmp_path: Path) -> None:
    options = {"only_folds": [1], "severity_cases": "positives", "demographics": True, "holdout": 0}
    job = make_job(data, tmp_path, **options)
    train.learn(job)
    assert {path.name for path in job.artifact.glob("*.safetensors")} == {"fold1.safetensors"}
    assert "person.weight" in load_file(job.artifact / "fold1.safetensors")
    card = read_json(job.artifact / "card.json")
    assert card["metrics"]["holdout"] is None
    assert card["metrics"]["out_of_fold"]["covid"]["cases"] == 12


def test_severity_counts_for_positives_only() -> None:
    target = torch.tensor([[1.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
    assert train_fold.counted(target, "positives").tolist() == [[1, 1], [1, 1], [1, 0]]
    assert train_fold.counted(target, "all").tolist() == [[1, 1]] * 3


def test_a_fold_without_severe_cases_is_judged_by_its_loss(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = tmp_path / "few"
    shutil.copytree(data, few)
    lines = (few / "reference.csv").read_text().splitlines()
    (few / "reference.csv").write_text("\n".join([lines[0], *lines[1:7]]) + "\n")  # two of each kind
    job = make_job(few, tmp_path, folds=3, holdout=0, only_folds=[2])
    train.learn(job)
    rows = table(job.logs / "metrics.csv")
    assert [row["auc_severe"] for row in rows] == ["", ""]
    best = read_json(job.fold(2).folder / "best.json")["row"]
    assert best["val_loss"] == pytest.approx(min(float(row["val_loss"]) for row in rows))
    assert "note: fold 2 has no severe case to be judged by" in capsys.readouterr().err
    assert "- Note: fold 2 has no severe case" in (job.artifact / "card.md").read_text()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"weights": "none.pt"}, "train.weights none.pt is not there"),
        ({"model": "tests.stoic_train.nets:Exploding"}, "fold 0: the loss is nan in epoch 1; lower train.lr"),
    ],
)
def test_mistakes_are_one_sentence(change: dict[str, object], said: str, data: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        train.learn(make_job(data, tmp_path, **change))
    assert said in str(error.value)


def test_command_names_a_setting_that_is_none(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = [f"--{name}={tmp_path / name}" for name in ("scratch", "artifact")]
    flags += [f"--reference={data / 'reference.csv'}", f"--settings={json.dumps(settings(learning_rate=1))}"]
    assert train.main([*flags, f"--cases={data / 'cases'}"]) == 1
    assert capsys.readouterr().err.startswith("error: settings.train.learning_rate is not a setting")
    flags[-1] = f"--settings={json.dumps(settings())}"
    assert train.main([*flags, f"--cases={tmp_path / 'none'}"]) == 1
    assert "none is not there; run the preprocessing first" in capsys.readouterr().err


def test_command_takes_the_labels_from_the_manifests_root(data: Path, tmp_path: Path) -> None:
    (tmp_path / "root/metadata").mkdir(parents=True)
    shutil.copy(data / "reference.csv", tmp_path / "root/metadata")
    (tmp_path / "manifest.json").write_text(json.dumps({"root": str(tmp_path / "root")}))
    flags = [f"--{name}={tmp_path / name}" for name in ("scratch", "artifact")]
    flags += [f"--settings={json.dumps(settings(epochs=1, only_folds=[0]))}", "--revision=0123abc"]
    assert train.main([*flags, f"--manifest={tmp_path / 'manifest.json'}", f"--cases={data / 'cases'}"]) == 0
    assert read_json(tmp_path / "artifact/card.json")["revision"] == "0123abc"
