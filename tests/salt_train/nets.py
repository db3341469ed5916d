"""Networks that learn in milliseconds, as a participant would bring them."""

from __future__ import annotations

import os
import signal

import torch
from torch import Tensor, nn


class Pixels(nn.Module):
    """A segmenter with batch norm and dropout, which can kill its own process in a step of the training."""

    def __init__(self, channels: int, width: int = 4) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), nn.Dropout(0.2)
        )
        self.last = nn.Conv2d(width, 1, 1)
        self.calls = 0

    def forward(self, images: Tensor) -> Tensor:
        self.calls += self.training
        if self.calls == int(os.environ.get("TEST_KILL_AT_STEP", "-1")):
            os.kill(os.getpid(), signal.SIGKILL)
        logits: Tensor = self.last(self.layers(images))
        return logits


class Whole(Pixels):
    """A classifier."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images).mean(dim=(1, 2, 3))


class Depth(nn.Module):
    """A classifier that sees the depth alone, and shows how it is given."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.ones(1))
        self.channels = channels

    def forward(self, images: Tensor) -> Tensor:
        return self.slope * images[:, self.channels - 1, 0, 0]


class Exploding(Pixels):
    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images) * float("inf")
