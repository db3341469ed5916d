"""Networks by name, their weights by name and shape, and errors that tell which of them is wrong."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file

from containers.kit import weights
from containers.kit.errors import UserError
from containers.objectnet import networks
from containers.objectnet.model import model_description
from containers.objectnet.settings import Transform
from tests.objectnet_train.conftest import Place
from tests.objectnet_train.nets import Tiny


@pytest.fixture(autouse=True)
def own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A participant has put a class into the file."""
    monkeypatch.setattr(model_description, "Tiny", Tiny, raising=False)


@pytest.fixture
def without_zoo(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("timm", "torchvision", "torchvision.models"):
        monkeypatch.setitem(sys.modules, name, None)


def test_a_class_of_the_file_is_made_with_and_without_arguments() -> None:
    assert networks.network("Tiny", {})(torch.zeros((2, 3, 32, 32))).shape == (2, 1000)
    assert networks.network("Tiny", {"outputs": 313})(torch.zeros((1, 3, 32, 32))).shape == (1, 313)
    assert set(networks.described()) == {"EfficientNetLite0", "EfficientNetLite2", "resnext101_32x48d_wsl", "Tiny"}


def test_the_organisers_example_has_its_829_million_parameters_and_names() -> None:
    with torch.device("meta"):  # nothing of its 3 GB is needed for that
        network = networks.network("resnext101_32x48d_wsl", {})
    state = network.state_dict()
    assert sum(value.numel() for value in network.parameters()) == 828_411_176
    assert state["layer4.2.conv2.weight"].shape == (12288, 384, 3, 3)
    assert state["layer1.0.downsample.1.running_mean"].shape == (256,)
    assert network(torch.zeros((1, 3, 224, 224), device="meta")).shape == (1, 1000)


@pytest.mark.usefixtures("without_zoo")
@pytest.mark.parametrize(
    ("model", "said"),
    [
        (
            "EfficientNetLite1",
            r"^model EfficientNetLite1 is no class of model/model_description.py \(did you mean 'EfficientNetLite",
        ),
        ("resnet50", r"\(that has EfficientNetLite0, .*, and torchvision cannot be used on this machine \(.*needs the"),
        ("timm:resnet18", r"^timm cannot be used on this machine \(ModuleNotFoundError: import of timm halted"),
    ],
)
def test_a_name_that_nobody_here_knows(model: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        networks.network(model, {})


def test_a_class_that_fails_is_told_with_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        UserError, match=r"model Tiny cannot be made \(TypeError: .*unexpected keyword argument 'width'"
    ):
        networks.network("Tiny", {"width": 3})

    def liar() -> str:
        return "no network"

    liar.__module__ = model_description.__name__
    monkeypatch.setattr(model_description, "Liar", liar, raising=False)
    with pytest.raises(UserError, match=r"model Liar made a str, where a torch.nn.Module is needed"):
        networks.network("Liar", {})


def test_a_broken_file_of_classes_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_description.py").write_text("import a_package_that_is_not_there\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(networks, "DESCRIPTION", "broken_description")
    with pytest.raises(UserError, match=r"model/model_description.py cannot be imported \(ModuleNotFoundError: No mod"):
        networks.network("Tiny", {})


@pytest.mark.parametrize("wrapper", ["", "module.", "_orig_mod.", "model."])
@pytest.mark.parametrize("suffix", ["pth", "safetensors", "old.pth"])
def test_all_weights_are_taken(wrapper: str, suffix: str, tmp_path: Path) -> None:
    given, network = Tiny(seed=1).state_dict(), Tiny(seed=2)
    path = tmp_path / f"weights.{suffix}"
    named = {wrapper + name: value for name, value in given.items() if name != "norm.num_batches_tracked"}
    if suffix == "safetensors":
        save_file(named, path)
    else:
        torch.save({"epoch": 3, "state_dict": named}, path, _use_new_zipfile_serialization=suffix == "pth")
    networks.load(network, path)
    assert network.state_dict().keys() == given.keys()
    assert all(torch.equal(value, given[name]) for name, value in network.state_dict().items())
    assert network.conv.weight.requires_grad


def test_half_weights_become_whole(tmp_path: Path) -> None:
    path = tmp_path / "half.pth"
    torch.save({name: value.half() for name, value in Tiny().state_dict().items()}, path)
    network = Tiny(seed=2)
    networks.load(network, path)
    assert network.fc.weight.dtype == torch.float32
    assert network(torch.zeros((1, 3, 32, 32))).dtype == torch.float32


def test_what_was_read_is_in_memory_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, network = tmp_path / "weights.pth", Tiny(seed=2)
    torch.save(Tiny(seed=1).state_dict(), path)
    read = weights.read(path, "key")
    monkeypatch.setattr(weights, "read", lambda *_: read)
    networks.load(network, path)
    assert network.fc.weight.data_ptr() == read["fc.weight"].data_ptr()


def test_weights_of_another_network(ready: Place, tmp_path: Path) -> None:
    given = Path(json.loads(ready.record("lite2").read_text())["file"])
    said = (
        f"model-checkpoint {given} is of another network than EfficientNet, .* of whose 247 tensors it has: "
        r"the network has no _blocks.16._bn0.bias, .* and \d+ more; .* is .* instead of .*; name the class"
    )
    with pytest.raises(UserError, match=said):
        networks.load(networks.network("EfficientNetLite0", {}), given)
    with pytest.raises(
        UserError, match=r"of another network than Tiny, 0 of whose 7 tensors it has: it lacks conv.weig"
    ):
        networks.load(Tiny(), given)
    with pytest.raises(UserError, match=r"5 of whose 7 tensors it has: fc.weight is 1000x4 instead of 313x4; name the"):
        networks.load(Tiny(313), _saved(Tiny(1000), tmp_path / "thousand.pth"))


def _saved(network: torch.nn.Module, path: Path) -> Path:
    torch.save(network.state_dict(), path)
    return path


@pytest.mark.parametrize(
    "changes",
    [{"interpolation": "nearest"}, {"crop_mode": "border"}, {"input_size": (3, 224, 192)}, {"mean": (0.5,)}],
)
def test_a_transform_that_has_no_equal_here_is_refused(
    changes: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = {"input_size": (3, 224, 224), "interpolation": "bicubic", "crop_mode": "center", "crop_pct": 0.875}
    config = {**usual, "mean": (0.5,) * 3, "std": (0.5,) * 3}
    fake = SimpleNamespace(is_model=lambda _: True, get_pretrained_cfg=lambda _: None)
    fake.data = SimpleNamespace(resolve_data_config=lambda *_, **__: config)
    monkeypatch.setitem(sys.modules, "timm", fake)
    assert networks.transform_of("timm:x") == Transform(224, 0.875, "shorter", "bicubic", (0.5,) * 3, (0.5,) * 3)
    config.update(changes)
    with pytest.raises(
        UserError, match=r"^the transform of timm:x has no equal here \(.*\); set the candidate's trans"
    ):
        networks.transform_of("timm:x")
    assert networks.transform_of("EfficientNetLite0") is None
