"""The artifact: verified and copied as a whole, or refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from containers.kit.files import read_json, sha256, write_json
from containers.stoic import artifact
from containers.stoic.job import Job
from containers.stoic.publish import publish, tidy
from tests.stoic_train.synthetic import make_job


def spoil(folder: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    """Change the weights of fold 0 and let model.json agree."""
    path = folder / "fold0.safetensors"
    weights = load_file(path)
    change(weights)
    save_file(weights, path)
    model = read_json(folder / "model.json")
    model["folds"][0]["sha256"] = sha256(path)
    write_json(folder / "model.json", model)


def make_nan(weights: dict[str, torch.Tensor]) -> None:
    weights["backbone.head.bias"][0] = float("nan")


def drop_head(weights: dict[str, torch.Tensor]) -> None:
    del weights["backbone.head.bias"]


def append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b" ")


def test_export_replaces_the_whole_folder(trained: Job, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "results/artifact"
    output.mkdir(parents=True)
    (output / "old.txt").write_text("from before")
    assert artifact.main(["--trained", str(trained.artifact), "--output", str(output)]) == 0
    assert {path.name: path.read_bytes() for path in output.iterdir()} == {
        path.name: path.read_bytes() for path in trained.artifact.iterdir()
    }
    assert [path.name for path in output.parent.iterdir()] == ["artifact"]
    assert "tests.stoic_train.nets:Tiny, 2 folds, verified" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (
            lambda folder: (folder / "notes.txt").write_text(""),
            "holds notes.txt besides; an artifact is what model.json",
        ),
        (lambda folder: (folder / "card.md").unlink(), "lacks card.md; an artifact"),
        (lambda folder: (folder / "fold1.safetensors").unlink(), "lacks fold1.safetensors; an artifact"),
        (
            lambda folder: append(folder / "fold1.safetensors"),
            "fold1.safetensors is not the file that model.json names",
        ),
        (lambda folder: spoil(folder, make_nan), "weights that are not finite numbers, in backbone.head.bias"),
        (lambda folder: spoil(folder, drop_head), "fold0.safetensors does not hold the weights of model.json"),
        (
            lambda folder: write_json(folder / "model.json", {"schema": 1}),
            "model.json does not describe a model of STOIC",
        ),
        (lambda folder: (folder / "model.json").unlink(), "model.json is not there"),
    ],
)
def test_what_prediction_could_not_use_is_refused(
    harm: Callable[[Path], object], said: str, trained: Job, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, output = tmp_path / "trained", tmp_path / "output"
    shutil.copytree(trained.artifact, folder)
    output.mkdir()
    (output / "old.txt").write_text("from before")
    harm(folder)
    assert artifact.main(["--trained", str(folder), "--output", str(output)]) == 1
    assert said in capsys.readouterr().err
    assert [path.name for path in output.iterdir()] == ["old.txt"], "what was there stays"


def test_another_trainings_artifact_goes_but_not_others_files(data: Path, tmp_path: Path) -> None:
    job = make_job(data, tmp_path)
    job.artifact.mkdir()
    names = ("fold0.safetensors", "fold3.safetensors", "model.json", ".model.x1.json", ".gitkeep", "notes.txt")
    for name in names:
        (job.artifact / name).write_text("old")
    tidy(job)
    assert {path.name for path in job.artifact.iterdir()} == {".gitkeep", "notes.txt"}


def test_it_is_there_from_the_first_epoch_on(trained: Job, tmp_path: Path) -> None:
    """What the organisers find when they stop a training whose second fold has not begun."""
    shutil.copytree(trained.scratch, tmp_path / "scratch")
    job = Job(
        trained.settings, trained.reference, trained.preprocessed, tmp_path / "scratch", tmp_path / "artifact", "abc123"
    )
    shutil.rmtree(job.fold(1).folder)
    (job.folder / "evaluation.json").unlink()
    publish(job)
    assert len(artifact.verify(job.artifact).folds) == 1
    assert "The training is not finished" in (job.artifact / "card.md").read_text()
