"""Networks small enough to know by heart, as a participant would bring them."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Point(nn.Module):
    """Each pixel by itself."""

    def __init__(self, channels: int, width: int = 2) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(channels, width, 1), nn.Conv2d(width, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.layers(images)
        return logits


class Ramp(nn.Module):
    """Adds to each pixel `slope` times its column, which mirroring turns round."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = slope

    def forward(self, images: Tensor) -> Tensor:
        return images[:, :1] + self.slope * torch.arange(images.shape[-1])


class LeftEdge(nn.Module):
    """A classifier that sees only the first column."""

    def forward(self, images: Tensor) -> Tensor:
        return images[:, 0, :, 0].mean(dim=1)
