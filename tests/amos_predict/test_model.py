"""Models are read from the artifact and from nnU-Net's own folder; what does not suit is refused in a sentence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from safetensors.torch import load_file, save_file

from containers.amos import network
from containers.amos.model import load
from containers.amos.predictor import Options, segment
from containers.kit.errors import UserError
from tests.amos_predict import parts


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Do not write into it."""
    return parts.make(tmp_path_factory.mktemp("model"), folds=2)


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "model")


def change(path: Path, edit: Callable[[Any], object]) -> None:
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def test_artifact(made: Path) -> None:
    model = load(made)
    assert [(fold.fold, fold.path.name) for fold in model.folds] == [
        (0, "fold_0.safetensors"),
        (1, "fold_1.safetensors"),
    ]
    assert (model.mirror_axes, model.task, len(model.min_volume), model.min_volume[15]) == ((0, 1, 2), 1, 15, 0.0)
    plan = model.plan
    assert (plan.patch, plan.spacing, plan.classes, plan.scheme) == ((16, 32, 32), (2, 1, 1), 16, "CTNormalization")
    assert (plan.voxels.order, plan.logits.order, plan.voxels.separate, plan.voxels.threshold) == (3, 1, None, 3.0)
    assert [fold.fold for fold in load(made, [1]).folds] == [1]


def save_as_nnunet(
    made: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str = "checkpoint_final.pth"
) -> None:
    """By nnU-Net's own trainer, so that the file holds all that it puts there."""
    for variable in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"):
        monkeypatch.setenv(variable, str(folder.parent / variable))
    plans, dataset = (json.loads((made / name).read_text()) for name in ("plans.json", "dataset.json"))
    shutil.copytree(made, folder, ignore=shutil.ignore_patterns("fold_*", "model.json"))
    for fold in range(2):
        trainer = nnUNetTrainer(plans | {"continue_training": False}, "3d_fullres", fold, dataset, torch.device("cpu"))
        trainer.network = network.build(load(made).plan)
        network.fill(trainer.network, made / f"fold_{fold}.safetensors")
        trainer.optimizer = torch.optim.SGD(trainer.network.parameters(), lr=0.01, momentum=0.99)
        trainer.network(torch.zeros(1, 1, 16, 32, 32)).sum().backward()
        trainer.optimizer.step()
        network.fill(trainer.network, made / f"fold_{fold}.safetensors")
        trainer.inference_allowed_mirroring_axes = (0, 1)
        trainer._best_ema = np.float64(0.5)
        trainer.logger.log("mean_fg_dice", np.mean([0.5, 0.6]), 0)
        trainer.logger.log("train_losses", np.float32(0.5), 0)
        (folder / f"fold_{fold}").mkdir()
        trainer.save_checkpoint(str(folder / f"fold_{fold}" / name))


def test_nnunets_own_folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_as_nnunet(made, tmp_path / "results", monkeypatch)
    (tmp_path / "results/fold_all").mkdir()
    model = load(tmp_path / "results")
    assert [fold.fold for fold in model.folds] == [0, 1]
    assert (model.mirror_axes, dict(model.min_volume), model.task) == ((0, 1), {}, 0)
    voxels = parts.image((10, 34, 36))
    expected = segment(voxels, (2, 1, 1), load(made), Options(mirror=False))
    np.testing.assert_array_equal(segment(voxels, (2, 1, 1), model, Options(mirror=False)), expected)


def test_best_checkpoint_where_there_is_no_final_one(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_as_nnunet(made, tmp_path / "results", monkeypatch, "checkpoint_best.pth")
    assert [fold.path.name for fold in load(tmp_path / "results").folds] == ["checkpoint_best.pth"] * 2


def test_weights_under_one_of_their_names_suffice(folder: Path) -> None:
    """nnU-Net's state has each tensor under up to four names; a file may be without the others."""
    weights = load_file(folder / "fold_0.safetensors")
    fewer = {
        name: value for name, value in weights.items() if ".all_modules." not in name and "decoder.encoder" not in name
    }
    assert len(fewer) < len(weights) / 2
    save_file(fewer, folder / "fewer.safetensors")
    one, other = (network.build(load(folder).plan) for _ in range(2))
    network.fill(one, folder / "fold_0.safetensors")
    network.fill(other, folder / "fewer.safetensors")
    window = torch.randn(1, 1, 16, 32, 32)
    assert torch.equal(one(window), other(window))


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


def test_code_in_a_checkpoint_is_never_run(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "m", ignore=shutil.ignore_patterns("fold_*", "model.json"))
    (tmp_path / "m/fold_0").mkdir()
    torch.save({"network_weights": {}, "more": Evil(tmp_path / "ran")}, tmp_path / "m/fold_0/checkpoint_final.pth")
    with pytest.raises(UserError, match=r"checkpoint_final\.pth cannot be read as nnU-Net's checkpoint"):
        load(tmp_path / "m")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["os.system", "containers.kit.files.sha256", "builtins.exec", "torch.load"])
def test_a_plan_names_no_code_but_networks(name: str, folder: Path) -> None:
    change(folder / "plans.json", lambda plans: configuration(plans)["architecture"].update(network_class_name=name))
    with pytest.raises(UserError, match=f"names {name}; it must begin with dynamic_network_architectures"):
        network.build(load(folder).plan)
    change(folder / "plans.json", lambda plans: arguments(plans).update(conv_op=name))
    change(
        folder / "plans.json",
        lambda plans: configuration(plans)["architecture"].update(network_class_name=parts.UNETS + "PlainConvUNet"),
    )
    with pytest.raises(UserError, match=f"names {name}; it must begin with torch.nn"):
        network.build(load(folder).plan)


def configuration(plans: Any) -> Any:
    return plans["configurations"]["3d_fullres"]


def arguments(plans: Any) -> Any:
    return configuration(plans)["architecture"]["arch_kwargs"]


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda c: c.update(patch_size=[32, 32]), "3d_fullres is a 2D configuration"),
        (lambda c: c.update(previous_stage="3d_lowres"), "needs the result of 3d_lowres"),
        (lambda c: c.update(normalization_schemes=["A", "B"]), "takes 2 channels"),
        (lambda c: c.update(normalization_schemes=["RGBTo01Normalization"]), "RGBTo01Normalization is not known here"),
        (
            lambda c: c.update(resampling_fn_data="resample_torch_fornnunet"),
            "by resample_data_or_seg_to_shape and resa",
        ),
        (lambda c: c["resampling_fn_probabilities_kwargs"].update(order=3), "probabilities_kwargs of order 3"),
        (lambda c: c["resampling_fn_data_kwargs"].update(order_z=1), "data_kwargs of order 3 and order_z 1"),
        (lambda c: c.pop("architecture"), "describes no architecture"),
        (lambda c: c.pop("spacing"), "without 'spacing'"),
        (lambda c: c.update(inherits_from="nowhere"), "no plans of configuration 'nowhere'"),
    ],
)
def test_plans_that_cannot_be_predicted(edit: Callable[[Any], object], said: str, folder: Path) -> None:
    change(folder / "plans.json", lambda plans: edit(configuration(plans)))
    with pytest.raises(UserError, match=said) as error:
        load(folder)
    assert str(folder) in str(error.value)
    assert "\n" not in str(error.value)


def test_inherited_plans(folder: Path) -> None:
    more = {"inherits_from": "3d_fullres", "patch_size": [8, 16, 16]}
    change(folder / "plans.json", lambda plans: plans["configurations"].update({"small": more}))
    change(folder / "model.json", lambda model: model.update(configuration="small"))
    assert (load(folder).plan.patch, load(folder).plan.spacing) == ((8, 16, 16), (2, 1, 1))


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"background": 0, "kidneys": [1, 2]}, "regions or an ignore label"),
        ({"background": 0, "organ": 1, "ignore": 2}, "regions or an ignore label"),
        ({"background": 0, "organ": 2}, "must number its labels 0, 1, 2"),
    ],
)
def test_labels_that_cannot_be_predicted(labels: dict[str, Any], said: str, folder: Path) -> None:
    change(folder / "dataset.json", lambda dataset: dataset.update(labels=labels))
    with pytest.raises(UserError, match=said):
        load(folder)


def test_weights_that_are_missing_or_others(folder: Path) -> None:
    with pytest.raises(UserError, match="no weights of fold 7; there are 0, 1"):
        load(folder, [7])
    weights = load_file(folder / "fold_1.safetensors")
    save_file({**weights, "more": torch.zeros(1)}, folder / "fold_1.safetensors")
    with pytest.raises(UserError, match=r"fold_1\.safetensors is not the file that model\.json names"):
        load(folder)
    assert len(load(folder, [0]).folds) == 1
    empty = network.build(load(folder, [0]).plan)
    with pytest.raises(UserError, match="has weights more that the plan's network lacks"):
        network.fill(empty, folder / "fold_1.safetensors")
    own = {name: value for name, value in weights.items() if "seg_layers" not in name}
    save_file(own, folder / "fold_1.safetensors")
    with pytest.raises(UserError, match=r"lacks the weights decoder\.seg_layers"):
        network.fill(empty, folder / "fold_1.safetensors")
    (folder / "fold_1.safetensors").write_bytes(b"no weights")
    with pytest.raises(UserError, match="cannot be read as weights"):
        network.fill(empty, folder / "fold_1.safetensors")
    (folder / "fold_1.safetensors").unlink()
    with pytest.raises(UserError, match=r"fold_1\.safetensors, which model\.json names, is not there"):
        load(folder)


def test_what_is_no_model(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"neither model\.json nor nnU-Net's plans\.json"):
        load(tmp_path)
    change(folder / "model.json", lambda model: model.pop("mirror_axes"))
    with pytest.raises(UserError, match=r"model\.json is damaged \(KeyError: 'mirror_axes'\)"):
        load(folder)
    change(folder / "model.json", lambda model: model.update(challenge="stoic"))
    with pytest.raises(UserError, match="does not describe a model of AMOS"):
        load(folder)
    (folder / "model.json").unlink()
    with pytest.raises(UserError, match="has the weights of no fold"):
        load(folder)
