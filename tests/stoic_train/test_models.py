"""The networks: names, shapes, sizes, published names of I3D's weights, pretrained files, age and sex."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from containers.kit.errors import UserError
from containers.stoic import models, pretrained
from containers.stoic.demographics import encode
from containers.stoic.i3d import I3D, same_padded
from containers.stoic.settings import MODELS

BN = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


def published() -> set[str]:
    """The names in the public Kinetics RGB weights."""
    units = ["Conv3d_1a_7x7", "Conv3d_2b_1x1", "Conv3d_2c_3x3"]
    for block in ("3b", "3c", "4b", "4c", "4d", "4e", "4f", "5b", "5c"):
        units += [f"Mixed_{block}.{branch}" for branch in ("b0", "b1a", "b1b", "b2a", "b2b", "b3b")]
    names = {f"{unit}.conv3d.weight" for unit in units} | {f"{unit}.bn.{name}" for unit in units for name in BN}
    return names | {"logits.conv3d.weight", "logits.conv3d.bias"}


def test_i3d_is_named_and_shaped_like_the_published_weights() -> None:
    state = I3D(outputs=400).state_dict()
    assert set(state) == published()
    assert state["Conv3d_1a_7x7.conv3d.weight"].shape == (64, 3, 7, 7, 7)
    assert state["Mixed_3b.b1b.conv3d.weight"].shape == (128, 96, 3, 3, 3)
    assert state["Mixed_4f.b3b.conv3d.weight"].shape == (128, 528, 1, 1, 1)
    assert state["Mixed_5c.b0.conv3d.weight"].shape == (384, 832, 1, 1, 1)
    assert state["logits.conv3d.weight"].shape == (400, 1024, 1, 1, 1)
    assert I3D().Conv3d_1a_7x7.bn.eps == 1e-3


def test_padding_is_tensorflows() -> None:
    """Output ceil(n / stride); the odd zero goes behind."""
    line = torch.arange(1.0, 6.0).view(1, 1, 1, 1, 5)
    assert same_padded(line, (1, 1, 3), (1, 1, 1)).flatten().tolist() == [0, 1, 2, 3, 4, 5, 0]
    assert same_padded(line[..., :4], (1, 1, 3), (1, 1, 2)).flatten().tolist() == [1, 2, 3, 4, 0]
    assert same_padded(line[..., :4], (1, 1, 7), (1, 1, 2)).flatten().tolist() == [0, 0, 1, 2, 3, 4, 0, 0, 0]


@pytest.mark.parametrize(
    ("name", "args", "side", "parameters"),
    [
        ("i3d", {}, (20, 33, 40), 12_289_314),
        ("resnet10", {"widen_factor": 0.25, "conv1_t_size": 3, "conv1_t_stride": [2, 2, 2]}, (16, 24, 16), 897_842),
        ("resnet18", {"widen_factor": 0.125}, (16, 16, 16), None),
        ("resnet34", {"widen_factor": 0.125}, (16, 16, 16), None),
        ("resnet50", {"widen_factor": 0.125}, (16, 16, 16), None),
        ("densenet121", {"init_features": 8, "growth_rate": 4}, (32, 32, 32), None),
    ],
)
@torch.no_grad()
def test_forward(name: str, args: dict[str, Any], side: tuple[int, int, int], parameters: int | None) -> None:
    model = models.build(name, args).eval()
    found = model(torch.rand((2, 1, *side)), torch.zeros((2, 2)))
    assert found.shape == (2, 2)
    assert torch.isfinite(found).all()
    assert parameters is None or models.parameters(model) == parameters


def test_full_sizes() -> None:
    assert models.parameters(models.build("resnet18", {})) == 33_161_922
    assert models.parameters(models.build("densenet121", {})) == 11_244_674


@pytest.mark.parametrize(
    ("name", "args", "said"),
    [
        ("resnet81", {}, "it is one of i3d, resnet10, resnet18, resnet34, resnet50, densenet121, or module:Class"),
        ("no.such.module:Net", {}, "'no.such.module:Net' cannot be imported (No module named 'no')"),
        (
            "tests.stoic_train.nets:Nett",
            {},
            "cannot be imported (module 'tests.stoic_train.nets' has no attribute 'Nett')",
        ),
        ("i3d", {"depth": 3}, "train.model_args does not suit train.model i3d: "),
    ],
)
def test_wrong_names_are_one_sentence(name: str, args: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as error:
        models.build(name, args)
    assert said in str(error.value)


def test_settings_know_the_same_names() -> None:
    assert tuple(models.KNOWN) == MODELS


def test_own_model() -> None:
    model = models.build("tests.stoic_train.nets:Tiny", {"width": 6})
    assert model(torch.rand((3, 1, 16, 16, 16)), torch.zeros((3, 2))).shape == (3, 2)


def test_missing_age_and_sex_are_neutral() -> None:
    model = models.build("tests.stoic_train.nets:Tiny", {}, demographics=True).eval()
    torch.nn.init.normal_(model.get_parameter("person.weight"))
    images = torch.rand((1, 1, 16, 16, 16))
    image_only = model.get_submodule("image")(model.get_submodule("backbone")(images))
    assert torch.equal(model(images, torch.tensor([encode(None, None)])), image_only)
    assert not torch.allclose(model(images, torch.tensor([encode(85, "M")])), image_only)
    assert encode(80, "F") == [1.0, -1.0]
    assert encode(35, None) == [-2.0, 0.0]


@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
def test_kinetics_weights_are_taken_but_for_their_head(suffix: str, tmp_path: Path) -> None:
    torch.manual_seed(1)
    given = I3D(outputs=400).state_dict()
    path = tmp_path / f"model_rgb.{suffix}"
    if suffix == "pt":
        torch.save({"state_dict": {f"module.{name}": value for name, value in given.items()}}, path)
    else:
        save_file(given, path)
    torch.manual_seed(2)
    model = I3D(outputs=2)
    head = model.logits.conv3d.weight.clone()
    said = pretrained.load(model, path)
    assert said == (
        f"model_rgb.{suffix}: 342 tensors taken; dropped: logits.conv3d.bias, logits.conv3d.weight; "
        "begin anew: logits.conv3d.bias, logits.conv3d.weight"
    )
    assert torch.equal(model.state_dict()["Mixed_4d.b2b.conv3d.weight"], given["Mixed_4d.b2b.conv3d.weight"])
    assert torch.equal(model.logits.conv3d.weight, head)


def test_useless_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    for content, said in (
        ({"a": torch.zeros(3)}, "is of another network: 0 of its 1 tensors fit, and it has a"),
        ([1, 2], "holds no state dict"),
        (None, "cannot be read as weights"),
    ):
        torch.save(content, path) if content is not None else path.write_bytes(b"not weights")
        with pytest.raises(UserError, match=said):
            pretrained.load(I3D(), path)
    with pytest.raises(UserError, match="is not there"):
        pretrained.load(I3D(), tmp_path / "none.pt")
