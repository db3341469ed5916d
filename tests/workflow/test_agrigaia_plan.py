"""What Snakemake would do for Agri-Gaia, from a fresh clone: no engine, no data, nothing run."""

from __future__ import annotations

import shutil

import pytest

from tests.workflow.clone import Clone

AGRIGAIA = {
    "base": 1,
    "agrigaia_fetch": 1,
    "agrigaia_inspect": 1,
    "agrigaia_lay_out": 1,
    "agrigaia_template": 1,
    "agrigaia_wheels_train": 1,
    "agrigaia_ground": 1,
    "agrigaia_image_train": 1,
    "agrigaia_test_train": 1,
    "agrigaia_save_train": 1,
    "agrigaia_package": 1,
    "agrigaia_score": 1,
    "agrigaia_report": 1,
}


def test_agrigaia_alone(fresh: Clone) -> None:
    assert fresh.plan("export_agrigaia") == {**AGRIGAIA, "export_agrigaia": 1}
    tested = fresh.plan("agrigaia_test")
    assert tested == {
        **{name: 1 for name in AGRIGAIA if name.partition("_")[2] not in ("save_train", "package", "score", "report")},
        "agrigaia_test": 1,
    }


def test_training_on_the_host_needs_no_engine(fresh: Clone) -> None:
    assert fresh.plan("agrigaia_train") == {
        "agrigaia_fetch": 1,
        "agrigaia_inspect": 1,
        "agrigaia_template": 1,
        "agrigaia_train_here": 1,
        "agrigaia_train": 1,
    }


def test_the_template_needs_neither_data_nor_engine(fresh: Clone) -> None:
    assert fresh.plan("results/agrigaia/template") == {"agrigaia_template": 1}
    assert fresh.plan("agrigaia_package") == {"agrigaia_template": 1, "agrigaia_package": 1}


def test_the_package_is_named_as_the_configuration_says(fresh: Clone) -> None:
    words = fresh.overlay("named", "agrigaia", architecture="detector", package={"provider": "My Lab"})
    shown = fresh.snakemake("--dry-run", *words, "export_agrigaia").stdout
    assert "--name tag=slipway/my-lab-detector" in shown or "--name=tag=slipway/my-lab-detector" in shown
    assert "--architecture detector" in shown
    assert "architectures/detector/custom.json" in shown


def test_an_architecture_of_ones_own_is_a_folder(fresh: Clone) -> None:
    mine = fresh.root / "mine"
    shutil.copytree(fresh.root / "containers" / "agrigaia" / "architectures" / "efficientnet", mine)
    try:
        shown = fresh.snakemake("--dry-run", *fresh.overlay("own", "agrigaia", architecture="mine"), "agrigaia_test")
        (mine / "setup.py").unlink()
        words = fresh.overlay("own", "agrigaia", architecture="mine")
        done = fresh.snakemake("--dry-run", *words, "agrigaia_test", check=False)
    finally:
        shutil.rmtree(mine)
    assert "mine/custom.json" in shown.stdout
    assert done.returncode == 1
    assert "setup.py" in done.stdout
    assert "Job stats" not in done.stdout


def test_the_full_configuration_trains_as_the_form_says(fresh: Clone) -> None:
    shown = fresh.snakemake("--dry-run", "--configfile", "config/full.yaml", "--", "export_agrigaia").stdout
    assert '"img-size": 300' in shown
    assert "--time-limit=86400" in shown


@pytest.mark.parametrize(
    ("block", "sentence"),
    [
        ({"train": {"epoch": 3}}, "challenges.agrigaia.train.epoch is not a key; did you mean 'epochs'?"),
        ({"train": {"epochs": 0}}, "challenges.agrigaia.train.epochs"),
        ({"train": {"optimizer": "Adam"}}, "challenges.agrigaia.train.optimizer"),
        ({"train": {"train-split": 0.9, "test-split": 0.2}}, "challenges.agrigaia.train"),
        ({"architecture": "efficentnet"}, "efficientnet"),
        ({"package": {"provider": "a/b"}}, "challenges.agrigaia.package.provider"),
        ({"package": {"category": ".."}}, "challenges.agrigaia.package.category"),
        ({"package": {"architecture": "config"}}, "challenges.agrigaia.package.architecture"),
        ({"source": "remote"}, "challenges.agrigaia.remote.host"),
        ({"demo": {"pictures": 3}}, "challenges.agrigaia.demo.pictures must be at least 10, not 3"),
        ({"onnx": "yes please"}, "challenges.agrigaia.onnx"),
    ],
)
def test_a_mistake_about_agrigaia_is_one_sentence(fresh: Clone, block: dict[str, object], sentence: str) -> None:
    done = fresh.snakemake("--dry-run", *fresh.overlay("wrong", "agrigaia", **block), "export_agrigaia", check=False)
    assert done.returncode == 1
    assert sentence in done.stdout
    assert "Traceback" not in done.stdout
    assert "Job stats" not in done.stdout
