"""What Snakemake would do, from a fresh clone: no engine, no data, nothing run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.workflow.clone import Clone
from tests.workflow.test_agrigaia_plan import AGRIGAIA
from tests.workflow.test_objectnet_plan import OBJECTNET
from tests.workflow.test_salt_plan import SALT

WHOLE_WAY = {
    "base": 1,
    "stoic_fetch": 1,
    "stoic_inspect": 1,
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


AMOS = {
    "base": 1,
    "amos_fetch": 1,
    "amos_inspect": 1,
    "amos_plan": 1,
    "amos_preprocess_cases": 1,
    "amos_train_fold": 2,
    "amos_validate_fold": 2,
    "amos_artifact": 1,
    "amos_cases": 1,
    "amos_wheels_predict": 1,
    "amos_submission_predict": 1,
    "amos_image_predict": 1,
    "amos_test_predict": 1,
    "amos_save_predict": 1,
    "amos_reload_predict": 1,
    "amos_score": 1,
    "amos_cover": 1,
    "amos_report": 1,
}


def test_a_dry_run_shows_the_whole_way(fresh: Clone) -> None:
    assert fresh.plan() == {**WHOLE_WAY, **AMOS, **OBJECTNET, **SALT, **AGRIGAIA, "all": 1}


def test_amos_alone(fresh: Clone) -> None:
    assert fresh.plan("export_amos") == {**AMOS, "export_amos": 1}
    tested = fresh.plan("amos_test")
    assert tested["amos_test_predict"] == 1
    assert not {"amos_save_predict", "amos_score", "amos_report"} & tested.keys()


def test_a_dry_run_needs_no_engine_and_no_data(fresh: Clone, tmp_path: Path) -> None:
    words = fresh.overlay("nowhere", source="/no/such/folder")
    (tmp_path / "empty").mkdir()
    environ = {"PATH": f"{tmp_path / 'empty'}{os.pathsep}/usr/bin:/bin", "DOCKER_HOST": "unix:///no/such/socket"}
    done = fresh.snakemake("--dry-run", *words, "export_stoic", environ=environ)
    assert "stoic_fetch" in done.stdout
    assert not (fresh.root / "results").exists()
    assert not (fresh.root / "scratch").exists()


@pytest.mark.parametrize("challenge", ["stoic", "amos", "objectnet", "salt", "agrigaia"])
@pytest.mark.parametrize("stage", ["preprocess", "train", "image", "test", "save", "export"])
def test_a_stage_has_its_name_both_ways_round(fresh: Clone, challenge: str, stage: str) -> None:
    plain, mirrored = fresh.plan(f"{challenge}_{stage}"), fresh.plan(f"{stage}_{challenge}")
    assert plain.pop(f"{challenge}_{stage}") == mirrored.pop(f"{stage}_{challenge}") == 1
    assert plain == mirrored
    assert plain


def test_the_list_of_targets_is_a_help_screen(fresh: Clone) -> None:
    lines = fresh.snakemake("--list").stdout.splitlines()
    targets = [line for line in lines if line.startswith(("all", "base", "stoic_", "amos_", "export_", "train_"))]
    assert len(targets) > 40
    assert [line for line in targets if "(" not in line] == []
    assert "stoic_export (The whole way: verified archives, the submission folder, the report.)" in lines


def test_training_on_the_host_preprocesses_there_and_rehearses_the_container(fresh: Clone) -> None:
    plan = fresh.plan(*fresh.overlay("host", train={"where": "host"}), "export_stoic")
    extra = {"stoic_preprocess_shard": 2, "stoic_train_host": 1, "stoic_rehearsal": 1, "export_stoic": 1}
    assert plan == {**WHOLE_WAY, **extra}


def test_the_full_configuration_plans_too(fresh: Clone) -> None:
    full = ("--configfile", "config/full.yaml", "--")
    assert fresh.plan(*full, "export_stoic") == {**WHOLE_WAY, "export_stoic": 1}
    folds = {"amos_train_fold": 5, "amos_validate_fold": 5}
    assert fresh.plan(*full, "export_amos") == {**AMOS, **folds, "export_amos": 1}
    plan = fresh.plan(*full, "export_objectnet")
    assert (plan["objectnet_compare_wsl"], plan["objectnet_test_torch"]) == (1, 1)
    assert not {"objectnet_compare_lite2", "objectnet_test_onnx"} & plan.keys()


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


@pytest.mark.parametrize(
    ("block", "sentence"),
    [
        ({"team": "Team-1"}, "challenges.amos.team 'Team-1' cannot name an image; use lower-case letters and digits"),
        ({"task": 3}, "challenges.amos.task must be one of 1, 2, not 3"),
        ({"plan": {"planner": "resenc"}}, "challenges.amos.plan.planner must be one of default, resenc_m"),
        ({"plan": {"patch": [32, 64]}}, "challenges.amos.plan.patch must have three numbers or none, not 2"),
        ({"train": {"folds": 2, "only_folds": [2]}}, "challenges.amos.train.only_folds names fold 2"),
        ({"train": {"network": "unet"}}, "challenges.amos.train.network 'unet' is not known"),
        ({"predict": {"step": 0}}, "challenges.amos.predict.step must be more than 0, not 0"),
    ],
)
def test_a_mistake_about_amos_is_one_sentence(fresh: Clone, block: dict[str, object], sentence: str) -> None:
    done = fresh.snakemake("--dry-run", *fresh.overlay("wrong", "amos", **block), "export_amos", check=False)
    assert done.returncode == 1
    assert sentence in done.stdout
    assert "Traceback" not in done.stdout


def test_the_task_and_the_team_name_image_and_archive(fresh: Clone) -> None:
    words = fresh.overlay("team", "amos", team="myteam2", task=2)
    done = fresh.snakemake("--dry-run", *words, "export_amos")
    assert "results/amos/myteam2-task2.tar.gz" in done.stdout
    assert "--name=team=myteam2 --name=task=2" in done.stdout


def test_only_the_chosen_folds_are_trained(fresh: Clone) -> None:
    words = fresh.overlay("chosen", "amos", train={"folds": 5, "only_folds": [0, 2, 4]})
    assert fresh.plan(*words, "train_amos")["amos_train_fold"] == 3


def test_a_network_of_ones_own_ships_in_the_image(fresh: Clone) -> None:
    mine = fresh.root / "containers" / "amos" / "mine.py"
    mine.write_text("class Net: ...\n")
    try:
        words = fresh.overlay("mine", "amos", train={"network": "containers.amos.mine:Net"})
        done = fresh.snakemake("--dry-run", *words, "amos_image")
    finally:
        mine.unlink()
    assert "--entry containers.amos.run_inference containers.amos.mine" in done.stdout


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


def test_the_advice_for_an_image_that_is_gone_stays_with_its_challenge(fresh: Clone) -> None:
    """The target comes first: what follows --forcerun is forced, and without a target Snakemake does everything."""
    plan = fresh.plan("stoic_image", "--forcerun", "stoic_image_train")
    assert plan["stoic_image_train"] == plan["stoic_image"] == 1
    assert not [name for name in plan if name.startswith(("amos_", "objectnet_", "salt_", "agrigaia_"))]


def test_a_challenge_without_a_block_is_no_target(fresh: Clone) -> None:
    whole = (fresh.root / "config" / "config.yaml").read_text()
    (fresh.root / "alone.yaml").write_text(whole.partition("\n  amos:\n")[0])
    snakefile = fresh.root / "Alone"
    snakefile.write_text((fresh.root / "Snakefile").read_text().replace('"config" / "config.yaml"', '"alone.yaml"'))
    done = fresh.snakemake("--snakefile", "Alone", "--dry-run", "agrigaia_test", check=False)
    assert done.returncode == 1
    assert "agrigaia_test" in done.stdout
    assert "MissingRuleException" in done.stdout
    assert "stoic_test" in fresh.snakemake("--snakefile", "Alone", "--dry-run", "stoic_test").stdout
