"""The plain U-Net of the original pipeline: the baseline, from scratch."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CHANNELS = (64, 128, 256, 512, 512)


class UNet(nn.Module):
    """(n, channels, h, w) to one logit a pixel (n, 1, h, w), h and w multiples of 16; `width` scales all layers."""

    def __init__(self, channels: int = 1, width: float = 1.0, levels: Sequence[int] = CHANNELS) -> None:
        super().__init__()
        sizes = [max(1, round(size * width)) for size in levels]
        self.first = double(channels, sizes[0])
        self.down = nn.ModuleList(double(above, below) for above, below in pairwise(sizes))
        # A step up gives as many channels as the next one's skip connection has, so that both halves weigh the same.
        ups, above = [], sizes[-1]
        for level in range(len(sizes) - 2, -1, -1):
            out = sizes[max(0, level - 1)]
            ups.append(double(above + sizes[level], out))
            above = out
        self.up = nn.ModuleList(ups)
        self.last = nn.Conv2d(above, 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        values = self.first(images)
        skipped = []
        for layer in self.down:
            skipped.append(values)
            values = layer(F.max_pool2d(values, 2))
        for layer in self.up:
            values = F.interpolate(values, scale_factor=2, mode="bilinear", align_corners=True)
            values = layer(torch.cat([skipped.pop(), values], dim=1))
        logits: Tensor = self.last(values)
        return logits


def double(before: int, after: int) -> nn.Sequential:
    """Twice: a 3 x 3 convolution, normalised and rectified."""
    return nn.Sequential(*normed(before, after), *normed(after, after))


def normed(before: int, after: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
