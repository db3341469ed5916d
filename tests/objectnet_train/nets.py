"""Small networks that stand for a participant's own."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Tiny(nn.Module):
    """A network of any number of outputs."""

    def __init__(self, outputs: int = 1000, seed: int = 1) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.conv = nn.Conv2d(3, 4, 5, stride=4, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4, outputs)

    def forward(self, pictures: Tensor) -> Tensor:
        logits: Tensor = self.fc(self.norm(self.conv(pictures)).relu().mean((2, 3)))
        return logits


class Fickle(Tiny):
    """Asks what is in the picture before it knows what to compute, which no exporter can follow."""

    def forward(self, pictures: Tensor) -> Tensor:
        return super().forward(pictures if pictures.sum() > 0 else -pictures)


class Tied(nn.Module):
    """Two layers of one matrix."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(8, 8)
        self.second = nn.Linear(8, 8)
        self.second.weight = self.first.weight
