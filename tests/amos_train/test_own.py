"""A network of the user's own: planned, trained, and built again by the container's code."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from dynamic_network_architectures.architectures.unet import PlainConvUNet
from safetensors.torch import load_file
from torch import Tensor, nn

import containers.amos
from containers.amos import model, network
from containers.amos.organs import ORGANS
from tests.amos_train.conftest import Place
from workflow.scripts.amos import bundle, plan, preprocess, train


class Small(nn.Module):
    """Knows nothing of nnU-Net: one output, no deep supervision."""

    def __init__(self, input_channels: int, num_classes: int, width: int = 2) -> None:
        super().__init__()
        self.first = nn.Conv3d(input_channels, width, 3, padding=1)
        self.last = nn.Conv3d(width, num_classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.last(torch.relu(self.first(x)))
        return out


class Variant(PlainConvUNet):
    """nnU-Net's own with another name: it takes all that was planned."""


class Coarse(Small):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)[..., ::2]


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch) -> str:
    """A module where users have theirs."""
    module = ModuleType("containers.amos.mine")
    for kind in (Small, Variant, Coarse):
        copied = type(kind.__name__, (kind,), {"__module__": module.__name__})
        setattr(module, kind.__name__, copied)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(containers.amos, "mine", module, raising=False)
    return module.__name__


@pytest.fixture
def place(planned: Place, tmp_path: Path) -> Place:
    (tmp_path / "manifest.json").symlink_to(planned.manifest)
    return Place(tmp_path)


@pytest.mark.parametrize(
    ("name", "arguments", "kept"),
    [("Small", {"width": 3}, {"width"}), ("Variant", {}, {"n_stages", "strides", "conv_op"})],
)
def test_from_the_plan_to_the_container(
    place: Place, mine: str, name: str, arguments: dict[str, Any], kept: set[str]
) -> None:
    learn: dict[str, Any] = {"network": f"{mine}:{name}", "network_args": arguments, "epochs": 1}
    assert plan.main(place.plan_words(**learn)) == 0
    architecture = place.read("plan/plans.json")["configurations"]["3d_fullres"]["architecture"]
    assert architecture["network_class_name"] == f"{mine}.{name}"
    assert kept <= set(architecture["arch_kwargs"])
    assert ("strides" in architecture["arch_kwargs"]) == (name == "Variant")
    assert preprocess.main(place.preprocess_words()) == 0
    assert train.main(place.train_words(**learn)) == 0
    folder = place.folder / "model"
    bundle.assemble(folder, place.plan, [place.folder / "trained/fold_0"], dict.fromkeys(ORGANS, 0.0))
    found = bundle.verify(folder)
    built = network.build(found.plan)
    assert type(built).__name__ == name
    network.fill(built, found.folds[0].path)
    for key, value in load_file(folder / "fold_0.safetensors").items():
        torch.testing.assert_close(built.state_dict()[key], value, rtol=0, atol=0)
    assert len(model.load(folder).folds) == 1


@pytest.mark.parametrize(
    ("learn", "said"),
    [
        ({"network": "containers.amos.mine:Nothing"}, "train.network containers.amos.mine:Nothing cannot be imported"),
        ({"network": "containers.amos.mine:nn"}, "cannot be imported"),
        ({"network": "torch.nn:Conv3d"}, "train.network torch.nn:Conv3d will not be in the image"),
        ({"network": "containers.amos.organs:LAST"}, "is not a class of torch.nn.Module"),
        (
            {"network": "containers.amos.mine:Small", "network_args": {"widht": 3}},
            "train.network_args.widht is no argument to set of containers.amos.mine:Small; did you mean 'width'?",
        ),
        (
            {"network": "containers.amos.mine:Small", "network_args": {"num_classes": 3}},
            "train.network_args.num_classes",
        ),
        ({"network": "containers.amos.mine:Small", "network_args": {"width": "x"}}, "does not work on a patch of"),
        ({"network": "containers.amos.mine:Coarse"}, "gives (1, 16, 16, 32, 16) where (1, 16, 16, 32, 32) is needed"),
    ],
)
@pytest.mark.usefixtures("mine")
def test_what_cannot_be_used_is_said_before_preprocessing(
    place: Place, learn: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plan.main(place.plan_words(**learn)) == 1
    assert said in capsys.readouterr().err
    assert not place.plan.exists()
