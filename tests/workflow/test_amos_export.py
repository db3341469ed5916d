"""AMOS on demo data, the whole way with real containers: what it leaves, and what a change runs again."""

from __future__ import annotations

import json
import shlex
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from containers.amos.organs import ORGANS
from tests.workflow.clone import Clone

pytestmark = pytest.mark.engine

AFTER_IMAGE = {"amos_test_predict": 1, "amos_save_predict": 1, "amos_reload_predict": 1}
REPORTED = {"amos_score": 1, "amos_report": 1}
AFTER_ARTIFACT = {"amos_submission_predict": 1, "amos_image_predict": 1, **AFTER_IMAGE, **REPORTED}
AFTER_TRAINING = {"amos_validate_fold": 2, "amos_artifact": 1, **AFTER_ARTIFACT}
AFTER_PLAN = {"amos_preprocess_cases": 1, "amos_train_fold": 2, **AFTER_TRAINING}


def results(clone: Clone, *parts: str) -> Path:
    return clone.root.joinpath("results", "amos", *parts)


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {".snakemake_timestamp"}


def test_the_container_passes_under_both_profiles(exported_amos: Clone) -> None:
    verdict = read(results(exported_amos, "predict", "verdict.json"))
    assert verdict["status"] == "PASS", verdict["reason"]
    assert [run["profile"] for run in verdict["runs"]] == ["organisers", "strict"]


def test_the_archive_passes_by_the_organisers_own_command(exported_amos: Clone) -> None:
    verdict = read(results(exported_amos, "predict", "reloaded.json"))
    assert verdict["status"] == "PASS", verdict["reason"]
    (run,) = verdict["runs"]
    words = shlex.split(run["command"])
    assert words[-3:] == ["slipway", "python", "run_inference.py"]
    for flag, value in (("--ipc", "host"), ("--user", "root"), ("--env", "NVIDIA_VISIBLE_DEVICES=all")):
        assert words[words.index(flag) + 1] == value
    mounts = [word for flag, word in pairwise(words) if flag == "--volume"]
    assert [mount.split(":", 1)[1] for mount in mounts] == ["/workspace/input/:ro", "/workspace/output/"]
    told = {change["flag"] for change in run["adapted"]}
    assert {"--gpus", "--runtime"} <= told or "--gpus" in words


def test_the_archive_is_named_after_team_and_task(exported_amos: Clone) -> None:
    folder = results(exported_amos)
    subprocess.run(["sha256sum", "--check", "slipway-task1.tar.gz.sha256"], cwd=folder, check=True)
    manifest = read(folder / "slipway-task1.manifest.json")
    assert manifest["image_id"] == read(folder / "predict" / "verdict.json")["image_id"]
    assert manifest["tags"] == ["slipway:latest"]


def test_the_image_has_no_entrypoint_that_swallows_the_command(exported_amos: Clone) -> None:
    dockerfile = results(exported_amos, "submission", "docker", "Dockerfile").read_text()
    assert not [line for line in dockerfile.splitlines() if line.startswith("ENTRYPOINT")]
    assert 'CMD ["python", "run_inference.py"]' in dockerfile


def test_the_organs_are_found_in_cases_that_no_training_saw(exported_amos: Clone) -> None:
    cases = read(exported_amos.root / "scratch" / "amos" / "raw" / "cases.json")
    assert cases["held_out"] is True
    measured = read(results(exported_amos, "score", "card.json"))["metrics"]["holdout_dsc"]
    assert measured["mean of organs"]["dsc"] >= 0.85
    assert set(ORGANS.values()) <= measured.keys()


def test_every_case_has_its_labels_under_the_same_name(exported_amos: Clone) -> None:
    cases = exported_amos.root / "scratch" / "amos" / "cases"
    assert files(results(exported_amos, "predict", "output")) == files(cases)
    assert len(files(cases)) >= 3


def test_the_artifact_holds_what_prediction_needs_and_nothing_else(exported_amos: Clone) -> None:
    folder = results(exported_amos, "artifact")
    plans = {"plans.json", "dataset.json", "dataset_fingerprint.json"}
    weights = {"fold_0.safetensors", "fold_1.safetensors"}
    assert files(folder) == plans | weights | {"model.json", "card.json", "card.md"}
    # Two copies of the optimizer's state would make them three times as large as the parameters.
    from safetensors import safe_open

    with safe_open(folder / "fold_0.safetensors", "pt") as opened:
        counted = sum(opened.get_tensor(name).nbytes for name in opened.keys())  # noqa: SIM118
    assert counted <= (folder / "fold_0.safetensors").stat().st_size < counted + 100_000


def test_a_second_run_has_nothing_to_do(exported_amos: Clone) -> None:
    assert "Nothing to be done" in exported_amos.snakemake("export_amos").stdout


@pytest.mark.parametrize(
    ("block", "plan"),
    [
        ({"train": {"lr": 0.02}}, {"amos_train_fold": 2, **AFTER_TRAINING}),
        ({"train": {"seed": 7}}, {"amos_plan": 1, **AFTER_PLAN}),
        ({"plan": {"features": 16}}, {"amos_plan": 1, **AFTER_PLAN}),
        ({"predict": {"clean": False}}, AFTER_ARTIFACT),
        ({"metric": {"tolerance": 2}}, AFTER_TRAINING),
        ({"test": {"cases": 2}}, {"amos_cases": 1, **AFTER_IMAGE, **REPORTED}),
    ],
    ids=["lr", "seed", "features", "clean", "tolerance", "cases"],
)
def test_a_change_runs_again_what_depends_on_it(
    exported_amos: Clone, block: dict[str, object], plan: dict[str, int]
) -> None:
    words = exported_amos.overlay("changed", "amos", **block)
    assert exported_amos.plan(*words, "export_amos") == {**plan, "export_amos": 1}


def test_the_report_shows_score_and_picture(exported_amos: Clone) -> None:
    page = results(exported_amos, "report.html").read_text()
    assert "Ready to submit" in page
    assert "by the container: DSC" in page
    assert "data:image/png;base64," in page
    assert "not the organisers" in page
