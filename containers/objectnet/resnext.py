"""ResNeXt in plain PyTorch; its tensors have torchvision's names, so that weights published for that one load."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor, nn

STEM, EXPANSION = 64, 4


class Block(nn.Module):
    """Narrow, convolve in groups, widen, and add what came in."""

    def __init__(self, inputs: int, planes: int, groups: int, group_width: int, stride: int) -> None:
        super().__init__()
        width, outputs = planes * group_width // STEM * groups, planes * EXPANSION
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, groups=groups, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        reshapes = stride != 1 or inputs != outputs
        self.downsample = (
            nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
            if reshapes
            else None
        )

    def forward(self, features: Tensor) -> Tensor:
        kept = features if self.downsample is None else self.downsample(features)
        features = self.relu(self.bn1(self.conv1(features)))
        features = self.relu(self.bn2(self.conv2(features)))
        summed: Tensor = self.relu(self.bn3(self.conv3(features)) + kept)
        return summed


class ResNeXt(nn.Module):
    """Logits of pictures (n, 3, height, width)."""

    def __init__(self, depths: Sequence[int], groups: int, group_width: int, classes: int = 1000) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, STEM, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(STEM)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        inputs = STEM
        for number, depth in enumerate(depths, 1):
            planes = STEM * 2 ** (number - 1)
            blocks = list(_stage(depth, inputs, planes, groups, group_width, stride=1 if number == 1 else 2))
            self.add_module(f"layer{number}", nn.Sequential(*blocks))
            inputs = planes * EXPANSION
        self.stages = tuple(f"layer{number}" for number in range(1, len(depths) + 1))
        self.fc = nn.Linear(inputs, classes)

    def forward(self, pictures: Tensor) -> Tensor:
        features = self.maxpool(self.relu(self.bn1(self.conv1(pictures))))
        for name in self.stages:
            features = self.get_submodule(name)(features)
        logits: Tensor = self.fc(features.mean((2, 3)))
        return logits


def _stage(depth: int, inputs: int, planes: int, groups: int, group_width: int, stride: int) -> Iterator[Block]:
    for place in range(depth):
        yield Block(inputs, planes, groups, group_width, stride if place == 0 else 1)
        inputs = planes * EXPANSION
