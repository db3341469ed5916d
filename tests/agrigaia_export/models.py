"""Models that are easy, odd, or impossible to export."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Two(nn.Module):
    """Two inputs, two outputs, and something that is different while it learns."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.drop = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Dropout(0.5)

    def forward(self, one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        values = self.drop(self.norm(self.conv(one)))
        return values.mean((2, 3)), values + other.float()


class Calls(nn.Module):
    """Its answer depends on how often it was asked, which no export can know."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.calls = nn.Parameter(torch.ones(1)), 0

    def forward(self, values: Tensor) -> Tensor:
        self.calls += 1
        return values * self.weight * self.calls


class Branches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, values: Tensor) -> Tensor:
        return values * self.weight if bool(values.sum() > 3) else values - self.weight
