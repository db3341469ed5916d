"""train.where: host. The networks learn outside the container, and the container is tried in a rehearsal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.clone import Clone

pytestmark = pytest.mark.engine

SMALL: dict[str, Any] = {
    "demo": {"cases": 40},
    "preprocess": {"spacing": 4.0, "size": [24, 24, 24]},
    "train": {"where": "host", "epochs": 2, "folds": 2, "holdout": 0, "batch": 8},
}


@pytest.fixture(scope="module")
def trained(downloads: Path, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    clone = Clone.make(tmp_path_factory.mktemp("host"))
    clone.share_downloads(downloads)
    clone.snakemake("--cores", "2", *clone.overlay("small", **SMALL), "stoic_artifact", "stoic_test_train")
    return clone


def test_the_host_trains_the_artifact_with_the_same_code(trained: Clone) -> None:
    artifact = trained.root / "results/stoic/artifact"
    card = json.loads((artifact / "card.json").read_text())
    assert card["data"]["cases"] == 40
    assert [fold["fold"] for fold in card["folds"]] == [0, 1]
    assert (artifact / "fold1.safetensors").is_file()
    shards = [json.loads(path.read_text()) for path in (trained.root / "scratch/stoic/preprocessed").glob("*.json")]
    assert sorted(len(shard["ids"]) for shard in shards) == [20, 20]


def test_the_container_passes_its_rehearsal_and_the_verdict_says_that_it_was_one(trained: Clone) -> None:
    verdict = json.loads((trained.root / "results/stoic/train/verdict.json").read_text())
    assert verdict["status"] == "PASS", verdict["reason"]
    notes = [check for check in verdict["runs"][0]["checks"] if check["name"] == "flag --env"]
    assert [(note["status"], note["got"]) for note in notes] == [("WARN", "SLIPWAY_REHEARSAL=1")]
    rehearsed = json.loads((trained.root / "scratch/stoic/trained/rehearsal/card.json").read_text())
    assert rehearsed["config"]["train"]["epochs"] == 1


def test_a_second_run_has_nothing_to_do(trained: Clone) -> None:
    done = trained.snakemake("--cores", "2", *trained.overlay("small", **SMALL), "stoic_artifact", "stoic_test_train")
    assert "Nothing to be done" in done.stdout


def test_another_learning_rate_keeps_the_preprocessed_cases(trained: Clone) -> None:
    other = {**SMALL, "train": {**SMALL["train"], "lr": 0.0001}}
    plan = trained.plan(*trained.overlay("lr", **other), "stoic_artifact")
    assert plan == {"stoic_train_host": 1, "stoic_artifact": 1}
