"""Networks whose answers are known by heart, as a participant would bring them."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Bright(nn.Module):
    """Salt is where the first channel is above `level`."""

    def __init__(self, channels: int, level: float = 0.0) -> None:
        super().__init__()
        self.channels = channels
        self.level = nn.Parameter(torch.tensor([level]))

    def forward(self, images: Tensor) -> Tensor:
        assert images.shape[1] == self.channels
        return images[:, :1] - self.level


class AnyBright(Bright):
    """An image has salt where its brightest pixel is above `level`."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images).amax(dim=(1, 2, 3))


class Deep(Bright):
    """Salt is where the depth, which is the last channel, is above `level`; of an image all or nothing."""

    def forward(self, images: Tensor) -> Tensor:
        return images[:, -1:] - self.level
