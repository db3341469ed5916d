"""What Snakemake would do, from a fresh clone: no engine, no data, nothing run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.workflow.clone import Clone

WHOLE_WAY = {
    "base": 1,
    "stoic_fetch": 1,
    "stoic_wheels_train": 1,
    "stoic_wheels_predict": 1,
    "stoic_submission_train": 1,
    "stoic_submission_predict": 1,
    "stoic_image_train": 1,
    "stoic_image_predict": 1,
    "stoic_test_train": 1,
    "stoic_artifact": 1,
    "stoic_case": 1,
    "stoic_cover": 1,
    "stoic_test_predict": 1,
    "stoic_save_train": 1,
    "stoic_save_predict": 1,
    "stoic_report": 1,
}


def test_a_dry_run_shows_the_whole_way(fresh: Clone) -> None:
    assert fresh.plan() == {**WHOLE_WAY, "all": 1}


def test_a_dry_run_needs_no_engine_and_no_data(fresh: Clone, tmp_path: Path) -> None:
    words = fresh.overlay("nowhere", source="/no/such/folder")
    (tmp_path / "empty").mkdir()
    environ = {"PATH": f"{tmp_path / 'empty'}{os.pathsep}/usr/bin:/bin", "DOCKER_HOST": "unix:///no/such/socket"}
    done = fresh.snakemake("--dry-run", *words, "export_stoic", environ=environ)
    assert "stoic_fetch" in done.stdout
    assert not (fresh.root / "results").exists()
    assert not (fresh.root / "scratch").exists()


@pytest.mark.parametrize("stage", ["preprocess", "train", "image", "test", "save", "export"])
def test_a_stage_has_its_name_both_ways_round(fresh: Clone, stage: str) -> None:
    plain, mirrored = fresh.plan(f"stoic_{stage}"), fresh.plan(f"{stage}_stoic")
    assert plain.pop(f"stoic_{stage}") == mirrored.pop(f"{stage}_stoic") == 1
    assert plain == mirrored
    assert plain


def test_the_list_of_targets_is_a_help_screen(fresh: Clone) -> None:
    lines = fresh.snakemake("--list").stdout.splitlines()
    targets = [line for line in lines if line.startswith(("all", "base", "stoic_", "export_", "train_"))]
    assert len(targets) > 20
    assert [line for line in targets if "(" not in line] == []
    assert "stoic_export (The whole way: verified archives, the submission folder, the report.)" in lines


def test_training_on_the_host_preprocesses_there_and_rehearses_the_container(fresh: Clone) -> None:
    plan = fresh.plan(*fresh.overlay("host", train={"where": "host"}), "export_stoic")
    extra = {"stoic_preprocess_shard": 2, "stoic_train_host": 1, "stoic_rehearsal": 1, "export_stoic": 1}
    assert plan == {**WHOLE_WAY, **extra}


def test_the_full_configuration_plans_too(fresh: Clone) -> None:
    assert fresh.plan("--configfile", "config/full.yaml", "--", "export_stoic") == {**WHOLE_WAY, "export_stoic": 1}


def test_it_runs_from_another_folder(fresh: Clone, tmp_path: Path) -> None:
    plan = fresh.plan("--directory", str(tmp_path), "stoic_test")
    assert plan["stoic_test_predict"] == 1
    assert not list(tmp_path.glob("results"))


@pytest.mark.parametrize(
    ("block", "sentence"),
    [
        ({"train": {"epoch": 3}}, "challenges.stoic.train.epoch is not a key; did you mean 'epochs'?"),
        ({"train": {"lr": "fast"}}, "challenges.stoic.train.lr must be a number, not 'fast'"),
        ({"preprocess": {"window": [300, -1100]}}, "challenges.stoic.preprocess.window"),
        ({"train": {"folds": 3, "only_folds": [3]}}, "challenges.stoic.train.only_folds"),
        ({"train": {"model": "resnet19"}}, "challenges.stoic.train.model"),
        ({"train": {"model": "containers.stoic.nothing:Net"}}, "containers.stoic.nothing"),
    ],
)
def test_a_mistake_is_one_sentence_before_anything_runs(fresh: Clone, block: dict[str, object], sentence: str) -> None:
    done = fresh.snakemake("--dry-run", *fresh.overlay("wrong", **block), "export_stoic", check=False)
    assert done.returncode == 1
    assert sentence in done.stdout
    assert "Traceback" not in done.stdout
    assert "Job stats" not in done.stdout


def test_a_model_of_ones_own_ships_in_both_images(fresh: Clone) -> None:
    mine = fresh.root / "containers" / "stoic" / "mine.py"
    mine.write_text("class Net: ...\n")
    try:
        words = fresh.overlay("mine", train={"model": "containers.stoic.mine:Net"})
        done = fresh.snakemake("--dry-run", *words, "stoic_image")
    finally:
        mine.unlink()
    assert "--entry containers.stoic.main containers.stoic.mine" in done.stdout
    assert "--entry containers.stoic.predict containers.stoic.mine" in done.stdout


def test_a_challenge_that_is_not_there_yet_is_no_target(fresh: Clone) -> None:
    done = fresh.snakemake("amos_test", check=False)
    assert done.returncode == 1
    assert "amos_test" in done.stdout
    assert "MissingRuleException" in done.stdout
