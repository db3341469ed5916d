"""The main job on demo data, with real containers: what it leaves, and what a change runs again."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.clone import Clone
from workflow.scripts.slipway.engine import find

pytestmark = pytest.mark.engine

ARCHIVES = {"train": "STOICTrain", "predict": "STOICAlgorithm"}
AFTER_CASE = {"stoic_test_predict": 1, "stoic_save_predict": 1, "stoic_report": 1}
AFTER_ARTIFACT = {"stoic_submission_predict": 1, "stoic_image_predict": 1, **AFTER_CASE}
AFTER_TRAINING = {"stoic_artifact": 1, **AFTER_ARTIFACT}
TRAINING = {"stoic_submission_train": 1, "stoic_image_train": 1, "stoic_test_train": 1, "stoic_save_train": 1}


def results(clone: Clone, *parts: str) -> Path:
    return clone.root.joinpath("results", "stoic", *parts)


def read(path: Path) -> Any:
    return json.loads(path.read_text())


@contextmanager
def edited(path: Path, text: str) -> Iterator[None]:
    before = path.read_text()
    path.write_text(before + text)
    try:
        yield
    finally:
        path.write_text(before)


@pytest.mark.parametrize("image", ARCHIVES)
def test_both_verdicts_pass(exported: Clone, image: str) -> None:
    verdict = read(results(exported, image, "verdict.json"))
    assert verdict["status"] == "PASS", verdict["reason"]
    assert verdict["image_id"] == read(results(exported, image, "image.json"))["image_id"]
    profiles = {"train": ["organisers"], "predict": ["organisers", "strict"]}
    assert [run["profile"] for run in verdict["runs"]] == profiles[image]


@pytest.mark.parametrize("image", ARCHIVES)
def test_the_archives_hold_the_images_that_passed(exported: Clone, image: str) -> None:
    name = ARCHIVES[image]
    subprocess.run(["sha256sum", "--check", f"{name}.tar.gz.sha256"], cwd=results(exported), check=True)
    manifest = read(results(exported, f"{name}.manifest.json"))
    assert manifest["image_id"] == read(results(exported, image, "verdict.json"))["image_id"]


def test_the_networks_learnt(exported: Clone) -> None:
    card = read(results(exported, "artifact", "card.json"))
    assert card["metrics"]["holdout"]["severe"]["auc"] >= 0.85


def test_the_artifact_holds_the_networks_and_nothing_else(exported: Clone) -> None:
    names = {path.name for path in results(exported, "artifact").iterdir()} - {".snakemake_timestamp"}
    assert names == {
        "card.json",
        "card.md",
        "model.json",
        "fold0.safetensors",
        "fold1.safetensors",
        "fold2.safetensors",
    }


def test_the_submission_is_as_the_organisers_want_it(exported: Clone) -> None:
    names = {path.name for path in results(exported, "submission").iterdir()}
    assert {"training", "inference", "LICENSE"} <= names
    for folder in ("training", "inference"):
        assert results(exported, "submission", folder, "Dockerfile").is_file()
    assert results(exported, "submission", "inference", "artifact", "fold0.safetensors").is_file()


def test_a_second_run_has_nothing_to_do(exported: Clone) -> None:
    done = exported.snakemake("--cores", "16", "export_stoic")
    assert "Nothing to be done" in done.stdout


def test_another_learning_rate_trains_again_and_does_what_follows(exported: Clone) -> None:
    plan = exported.plan(*exported.overlay("lr", train={"lr": 0.001}), "export_stoic")
    assert plan == {**TRAINING, **AFTER_TRAINING, "export_stoic": 1}


def test_another_way_to_predict_builds_only_the_second_image(exported: Clone) -> None:
    plan = exported.plan(*exported.overlay("flip", predict={"flip": False}), "export_stoic")
    assert plan == {**AFTER_ARTIFACT, "export_stoic": 1}


@pytest.mark.parametrize(
    ("file", "plan"),
    [
        ("containers/stoic/predict.py", AFTER_ARTIFACT),
        ("containers/stoic/folds.py", {**TRAINING, **AFTER_TRAINING}),
        (
            "workflow/scripts/stoic/case.py",
            {"stoic_case": 1, "stoic_test_predict": 1, "stoic_save_predict": 1, "stoic_report": 1},
        ),
        ("workflow/scripts/report.py", {"stoic_report": 1}),
        ("workflow/scripts/docs.py", {}),
        ("README.md", {}),
    ],
)
def test_an_edit_runs_again_what_is_made_of_it(exported: Clone, file: str, plan: dict[str, int]) -> None:
    mark = "\n# edited\n"
    with edited(exported.root / file, mark):
        assert exported.plan("export_stoic") == ({**plan, "export_stoic": 1} if plan else {})


def test_the_saved_image_loads_and_predicts_the_same(exported: Clone, tmp_path: Path) -> None:
    engine = find()
    record = read(results(exported, "predict", "image.json"))
    subprocess.run(engine.command("image", "rm", "--force", record["tag"]), check=True)
    archive = results(exported, "STOICAlgorithm.tar.gz")
    subprocess.run(engine.command("load", "--input", str(archive)), check=True)
    assert engine.image_id(record["tag"]) == record["image_id"]

    output = tmp_path / "output"
    output.mkdir(mode=0o777)
    output.chmod(0o777)
    case = exported.root / "scratch" / "stoic" / "case"
    limits = ["--memory=16g", "--memory-swap=16g", "--shm-size=128m", "--pids-limit", "256", "--network", "none"]
    words = ["--cap-drop=ALL", "--security-opt=no-new-privileges", *limits]
    mounts = ["-v", f"{case}:/input/", "-v", f"{output}:/output/"]
    subprocess.run(engine.command("run", "--rm", *words, *mounts, "stoicalgorithm"), check=True)
    for name in ("probability-covid-19.json", "probability-severe-covid-19.json"):
        before = results(exported, "predict", "output", name).read_text()
        assert (output / name).read_text() == before
        assert 0 <= json.loads(before) <= 1


def test_saving_refuses_an_image_that_did_not_pass(exported: Clone) -> None:
    verdict = results(exported, "predict", "verdict.json")
    before = verdict.read_text()
    try:
        verdict.write_text(json.dumps({**json.loads(before), "status": "FAIL", "reason": "it broke"}))
        done = exported.snakemake("--cores", "2", "stoic_save_predict", check=False)
    finally:
        verdict.write_text(before)
    assert done.returncode == 1
    assert "it broke" in done.stdout
