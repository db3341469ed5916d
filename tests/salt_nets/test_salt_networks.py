"""The networks: shapes, sizes, gradients, names, and pretrained weights for their encoders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn

from containers.kit.errors import UserError
from containers.salt.encoder_decoder import EncoderDecoder, SqueezeExcite
from containers.salt.encoders import encoder, features, resnet
from containers.salt.networks import classifier, load_pretrained, segmenter
from containers.salt.unet import UNet


def size(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("name", "args", "channels"),
    [
        ("unet", {"width": 0.125}, 3),
        ("unet", {"levels": [8, 12, 16]}, 1),
        ("efficientnet-lite0-scse", {"decoder": 8}, 2),
        ("resnet18-scse", {"width": 0.25, "decoder": 16}, 2),
        ("resnet34-scse", {"width": 0.125, "decoder": 8, "stride": 1, "hypercolumn": False}, 1),
        ("resnet50-scse", {"width": 0.125, "decoder": 8, "dropout": 0.1}, 3),
        ("tests.salt_nets.nets:Point", {"width": 3}, 2),
    ],
)
def test_segmenters_give_a_logit_a_pixel_and_learn(name: str, args: dict[str, Any], channels: int) -> None:
    torch.manual_seed(0)
    network = segmenter(name, args, channels)
    logits = network(torch.randn(2, channels, 128, 128))
    assert logits.shape == (2, 1, 128, 128)
    logits.square().mean().backward()
    for parameter_name, parameter in network.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert torch.isfinite(parameter.grad).all(), parameter_name
        assert parameter.grad.abs().max() > 0, parameter_name


@pytest.mark.parametrize(
    ("name", "args", "channels"), [("resnet18", {"width": 0.25, "dropout": 0.2}, 3), ("resnet10", {"stride": 1}, 1)]
)
def test_classifiers_give_a_logit_an_image_and_learn(name: str, args: dict[str, Any], channels: int) -> None:
    torch.manual_seed(0)
    network = classifier(name, args, channels)
    logits = network(torch.randn(3, channels, 64, 64))
    assert logits.shape == (3,)
    logits.square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in network.parameters())


def test_full_sizes() -> None:
    """Of double convolutions 64, 128, 256, 512, 512 down and 256, 128, 64, 64 up, without the biases."""

    def double(before: int, after: int) -> int:
        return 9 * before * after + 9 * after * after + 4 * after

    down = [(3, 64), (64, 128), (128, 256), (256, 512), (512, 512)]
    up = [(1024, 256), (512, 128), (256, 64), (128, 64)]
    assert size(segmenter("unet", {}, 3)) == sum(double(*pair) for pair in down + up) + 65
    assert size(classifier("resnet18", {}, 3)) == 11_176_512 + 513  # the published network's, with one output


def test_unet_learns_an_easy_mask() -> None:
    torch.manual_seed(1)
    network = UNet(levels=(8, 16, 16))
    images = torch.randn(4, 1, 32, 32)
    images[:, :, 8:20, 8:20] += 4
    truth = torch.zeros(4, 1, 32, 32)
    truth[:, :, 8:20, 8:20] = 1
    optimizer = torch.optim.Adam(network.parameters(), lr=0.03)
    losses = []
    for _ in range(40):
        loss = nn.functional.binary_cross_entropy_with_logits(network(images), truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.15 < 0.5 < losses[0]


def test_deep_supervision_is_for_training_only() -> None:
    torch.manual_seed(0)
    network = EncoderDecoder(encoder="resnet18", width=0.125, decoder=8, deep_supervision=True)
    images = torch.randn(2, 1, 64, 64)
    assert network(images).shape == (2, 5, 64, 64)
    assert network.eval()(images).shape == (2, 1, 64, 64)
    shallow = EncoderDecoder(encoder="resnet18", width=0.125, decoder=8, stride=1, deep_supervision=True)
    assert shallow(images).shape == (2, 4, 64, 64)


def test_squeeze_and_excitation_is_the_sum_of_both() -> None:
    layer, values = SqueezeExcite(4), torch.randn(2, 4, 3, 5)
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    assert torch.equal(layer(values), values)  # both halves say one half
    nn.init.constant_(layer.place.bias, 50.0)  # type: ignore[arg-type]
    assert torch.allclose(layer(values), values * 1.5)
    layer.channel[2].bias.data = torch.tensor([50.0, -50.0, 0.0, 0.0])
    assert torch.allclose(layer(values), values * torch.tensor([2.0, 1.0, 1.5, 1.5]).view(1, 4, 1, 1))


@pytest.mark.parametrize(
    ("make", "name", "args", "said"),
    [
        (
            segmenter,
            "unett",
            {},
            "segmentation.model 'unett' is not known; it is one of unet, efficientnet-lite0-scse, resnet18-scse, "
            "resnet34-scse, resnet50-scse, or module:Class for one's own",
        ),
        (
            classifier,
            "tests.salt_nets.nets:Pont",
            {},
            "classifier.model 'tests.salt_nets.nets:Pont' cannot be imported (module 'tests.salt_nets.nets' has no "
            "attribute 'Pont'); it names a module and a class in it",
        ),
        (
            segmenter,
            "unet",
            {"depth": 3},
            "segmentation.model_args does not suit segmentation.model unet: UNet.__init__() got an unexpected keyword "
            "argument 'depth'",
        ),
        (
            segmenter,
            "resnet18-scse",
            {"channels": 3},
            "segmentation.model_args does not suit segmentation.model resnet18-scse: ",
        ),
    ],
)
def test_wrong_names_are_one_sentence(make: Any, name: str, args: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as error:
        make(name, args)
    assert str(error.value).startswith(said)


def published(path: Path, colours: int = 3) -> dict[str, Tensor]:
    """Weights as ImageNet's classes have them, with a head of their own."""
    torch.manual_seed(5)
    weights = {f"module.{name}": value for name, value in resnet("resnet18", colours, 1000).state_dict().items()}
    torch.save({"state_dict": weights}, path)
    return {name.removeprefix("module."): value for name, value in weights.items()}


@pytest.mark.parametrize(("make", "name"), [(segmenter, "resnet18-scse"), (classifier, "resnet18")])
def test_pretrained_encoders_see_grey_images_as_colour_ones(make: Any, name: str, tmp_path: Path) -> None:
    given = published(tmp_path / "resnet18.pth")
    network = make(name, {}, 2)
    assert load_pretrained(network, tmp_path / "resnet18.pth", "weights") == "resnet18.pth: 120 of 120 tensors taken"
    taken = network.encoder
    assert torch.equal(taken.state_dict()["layer3.1.conv2.weight"], given["layer3.1.conv2.weight"])
    images = torch.randn(2, 1, 32, 32)
    colour = nn.functional.conv2d(images.expand(2, 3, 32, 32), given["conv1.weight"])
    with_depth = torch.cat([images, torch.randn(2, 1, 32, 32)], dim=1)
    assert torch.allclose(nn.functional.conv2d(with_depth, taken.conv1.weight), colour, atol=1e-5)


def test_an_efficientnet_lite_takes_its_packages_weights(tmp_path: Path) -> None:
    torch.manual_seed(3)
    given = EfficientNet.from_name("efficientnet-lite0")
    torch.save(given.state_dict(), tmp_path / "lite.pth")
    network = segmenter("efficientnet-lite0-scse", {"decoder": 8}, 2).eval()
    said = load_pretrained(network, tmp_path / "lite.pth", "weights")
    assert said == "lite.pth: 288 of 288 tensors taken", said
    grey = torch.randn(2, 1, 128, 128)
    with torch.no_grad():
        levels = features(network.get_submodule("encoder"), torch.cat([grey, torch.randn(2, 1, 128, 128)], dim=1))
        whole = given.eval().extract_features(grey.expand(2, 3, 128, 128))
        last = given._swish(given._bn1(given._conv_head(levels[-1])))
    assert [tuple(level.shape[1:]) for level in levels] == [
        (16, 64, 64), (24, 32, 32), (40, 16, 16), (112, 8, 8), (320, 4, 4)
    ]  # fmt: skip
    assert torch.allclose(last, whole, atol=1e-4), "the depth has no weight, and the rest is the package's network"


def test_what_is_for_resnets_alone_is_said() -> None:
    with pytest.raises(ValueError, match="width and stride are for ResNets; leave them out with efficientnet-lite0"):
        encoder("efficientnet-lite0", 1, width=0.5)


def test_weights_that_cannot_be_used_are_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "resnet18.pth"
    published(path)
    for name, args, said in (
        ("resnet34-scse", {}, f"encoder {path} is of another network: 1"),
        (
            "resnet18-scse",
            {"width": 0.5},
            f"encoder {path} is of another network: 20 of its 122 tensors fit, and 120 are",
        ),
        ("unet", {"width": 0.125}, "encoder is given, but UNet has no encoder to take it; leave it empty"),
    ):
        with pytest.raises(UserError) as error:
            load_pretrained(segmenter(name, args, 3), path, "encoder")
        assert str(error.value).startswith(said)
    with pytest.raises(UserError, match="is not there; leave it empty to begin from scratch"):
        load_pretrained(segmenter("resnet18-scse", {"width": 0.5}, 3), tmp_path / "none.pth", "encoder")
