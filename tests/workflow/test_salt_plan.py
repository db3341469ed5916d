"""What Snakemake would do for the salt, from a fresh clone: no engine, no data, nothing run."""

from __future__ import annotations

import pytest

from tests.workflow.clone import Clone

SALT = {
    "base": 1,
    "salt_fetch": 1,
    "salt_inspect": 1,
    "salt_pack": 1,
    "salt_classify_fold": 4,
    "salt_classified": 1,
    "salt_weights_segmentation": 1,
    "salt_segment_fold": 2,
    "salt_tune": 1,
    "salt_artifact": 1,
    "salt_submissions": 1,
    "salt_cases": 1,
    "salt_wheels_predict": 1,
    "salt_submission_predict": 1,
    "salt_image_predict": 1,
    "salt_test_predict": 1,
    "salt_save_predict": 1,
    "salt_score": 1,
    "salt_cover": 1,
    "salt_report": 1,
}


def test_salt_alone(fresh: Clone) -> None:
    assert fresh.plan("export_salt") == {**SALT, "export_salt": 1}
    assert not {"salt_save_predict", "salt_submissions", "salt_report"} & fresh.plan("salt_test").keys()


def test_the_submissions_need_no_container(fresh: Clone) -> None:
    plan = fresh.plan("salt_submit")
    assert (plan["salt_submissions"], plan["salt_submit"]) == (1, 1)
    assert not {"base", "salt_image_predict", "salt_score"} & plan.keys()


def test_files_go_to_kaggle_in_the_chosen_order_and_only_when_told(fresh: Clone) -> None:
    order = ["both", "classifier_post_processing"]
    words = fresh.overlay("order", "salt", submit={"files": order, "message": "four folds, it's fine"})
    shown = fresh.snakemake("--dry-run", *words, "salt_submit").stdout
    assert "results/salt/kaggle/both.csv results/salt/kaggle/classifier_post_processing.csv" in shown
    assert "show how to send" in shown
    assert "--really" not in shown
    words = fresh.overlay("send", "salt", source="/data/salt", submit={"really": True})
    shown = fresh.snakemake("--dry-run", *words, "salt_submit").stdout
    assert shown.count("--really") == 1


def test_all_folds_of_both_kinds_are_trained_with_the_full_configuration(fresh: Clone) -> None:
    plan = fresh.plan("--configfile", "config/full.yaml", "--", "export_salt")
    assert (plan["salt_classify_fold"], plan["salt_segment_fold"]) == (5, 5)


def test_the_learning_environment_needs_no_training(fresh: Clone) -> None:
    assert fresh.plan("salt_tensorboard") == {"salt_tensorboard": 1}
    assert fresh.plan("salt_notebook") == {"salt_fetch": 1, "salt_notebook": 1}
    words = fresh.overlay("ports", "salt", tensorboard={"port": 7001}, notebook={"port": 7002})
    shown = fresh.snakemake("--dry-run", *words, "salt_tensorboard", "salt_notebook").stdout
    assert shown.count("--port 7001") == shown.count("--port 7002") == 1


def test_the_depth_reaches_training_and_container(fresh: Clone) -> None:
    words = fresh.overlay("deep", "salt", inputs={"channels": 2, "depth": True})
    shown = " ".join(fresh.snakemake("--dry-run", *words, "salt_test").stdout.replace("\\\n", " ").split())
    assert shown.count("--most 500 --depth --folder") == 1
    assert shown.count('--inputs \'{"channels": 2, "depth": true') == 6


def test_an_encoder_from_scratch_needs_no_weights(fresh: Clone) -> None:
    words = fresh.overlay("scratch", "salt", segmentation={"weights": ""}, classifier={"weights": "mine/resnet18.pth"})
    plan = fresh.plan(*words, "salt_train")
    assert plan["salt_weights_classifier"] == 1
    assert "salt_weights_segmentation" not in plan


def test_networks_of_ones_own_ship_in_the_image(fresh: Clone) -> None:
    mine = fresh.root / "containers" / "salt" / "mine.py"
    mine.write_text("class Net: ...\n")
    try:
        words = fresh.overlay("mine", "salt", segmentation={"model": "containers.salt.mine:Net"})
        done = fresh.snakemake("--dry-run", *words, "salt_image")
    finally:
        mine.unlink()
    assert "--entry containers.salt.predict containers.salt.mine" in done.stdout


@pytest.mark.parametrize(
    ("block", "sentence"),
    [
        ({"train": {"folds": 1}}, "challenges.salt.train.folds must be at least 2, not 1"),
        ({"inputs": {"depth": True}}, "challenges.salt.inputs.channels 1 are too few for an image and its depth"),
        ({"classifier": {"model": "resnet19"}}, "challenges.salt.classifier.model 'resnet19' is not known; did you"),
        ({"segmentation": {"model": "resnet34"}}, "challenges.salt.segmentation.model 'resnet34' is not known"),
        ({"segmentation": {"model": "containers.salt.no:Net"}}, "containers.salt.no"),
        ({"segmentation": {"epochs": 5, "cycle": 6}}, "segmentation.cycle 6 is longer than the training's 5 epochs"),
        ({"segmentation": {"only_folds": [4]}}, "segmentation.only_folds names fold 4, but train.folds is 4"),
        ({"segmentation": {"lovas": 1}}, "challenges.salt.segmentation.lovas is not a key; did you mean 'lovasz'?"),
        ({"predict": {"variant": "all"}}, "challenges.salt.predict.variant must be one of classifier, classifier_post"),
        ({"submit": {"files": ["both", "both"]}}, "challenges.salt.submit.files must not name the same entry twice"),
        ({"submit": {"files": []}}, "challenges.salt.submit.files must have at least 1 entries, not 0"),
        ({"notebook": {"port": 70000}}, "challenges.salt.notebook.port must be at most 65535, not 70000"),
    ],
)
def test_a_mistake_about_the_salt_is_one_sentence(fresh: Clone, block: dict[str, object], sentence: str) -> None:
    done = fresh.snakemake("--dry-run", *fresh.overlay("wrong", "salt", **block), "export_salt", check=False)
    assert done.returncode == 1
    assert sentence in done.stdout
    assert "Traceback" not in done.stdout
    assert "Job stats" not in done.stdout
