"""Networks that train in milliseconds, as a participant would bring them."""

from __future__ import annotations

import os
import signal

import torch
from torch import Tensor, nn


class Tiny(nn.Module):
    """Batch norm and dropout, whose state a resumed run needs; it can kill its own process in a training step."""

    def __init__(self, outputs: int, width: int = 4) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv3d(1, width, 3, stride=4), nn.BatchNorm3d(width), nn.ReLU(), nn.Dropout(0.2))
        self.head = nn.Linear(width, outputs)
        self.calls = 0

    def forward(self, images: Tensor) -> Tensor:
        self.calls += self.training
        if self.calls == int(os.environ.get("TEST_KILL_AT_STEP", "-1")):
            os.kill(os.getpid(), signal.SIGKILL)
        logits: Tensor = self.head(self.layers(images).mean(dim=(2, 3, 4)))
        return logits


class Steady(nn.Module):
    """No batch statistics and no chance: two processes must learn what one learns."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv3d(1, 4, 3, stride=4), nn.GroupNorm(2, 4)
        self.head = nn.Linear(8, outputs)

    def forward(self, images: Tensor) -> Tensor:
        values = self.conv(images)
        values = torch.cat([values.mean(dim=(2, 3, 4)), torch.relu(self.norm(values)).mean(dim=(2, 3, 4))], dim=1)
        logits: Tensor = self.head(values)
        return logits


class Exploding(Tiny):
    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images) * float("inf")
