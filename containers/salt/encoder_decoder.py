"""An encoder, pretrained perhaps, and a decoder that weighs its features and decides on those of all levels at once."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from containers.salt import encoders
from containers.salt.unet import normed

FEWEST = 4  # with one or two rectified units, none may ever be above zero


class EncoderDecoder(nn.Module):
    """(n, channels, h, w) to one logit a pixel (n, 1, h, w), h and w multiples of 32.

    `stride` 1 keeps the encoder's first features as large as the image: finer borders, at about four times the time.
    With `deep_supervision` each coarser level gives logits of its own in training, as further channels.
    """

    def __init__(
        self,
        channels: int = 1,
        encoder: str = "resnet34",
        width: float = 1.0,
        stride: int = 2,
        decoder: int = 64,
        hypercolumn: bool = True,
        deep_supervision: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.encoder = encoders.encoder(encoder, channels, width, stride)
        sizes = encoders.sizes(self.encoder, channels)
        self.middle = nn.Sequential(*normed(sizes[-1], decoder))
        ups = [Up(decoder, skip, decoder) for skip in reversed(sizes[:-1])]
        if stride == 2:
            ups.append(Up(decoder, 0, decoder))
        self.up = nn.ModuleList(ups)
        # A hypercolumn at full size has few channels of each level: one of all of them would take most of the time.
        few = max(FEWEST, decoder // len(ups))
        self.columns = nn.ModuleList(nn.Conv2d(decoder, few, 1) for _ in (ups if hypercolumn else ()))
        self.dropout = nn.Dropout2d(dropout)
        together = few * len(ups) if hypercolumn else decoder
        self.head = nn.Sequential(*normed(together, decoder), nn.Conv2d(decoder, 1, 1))
        coarser = len(ups) - 1 if deep_supervision else 0
        self.deep = nn.ModuleList(nn.Conv2d(decoder, 1, 1) for _ in range(coarser))

    def forward(self, images: Tensor) -> Tensor:
        skipped = encoders.features(self.encoder, images)
        values, levels = self.middle(skipped.pop()), []
        for layer in self.up:
            values = layer(values, skipped.pop() if skipped else None)
            levels.append(values)
        size = images.shape[-2:]
        if len(self.columns):
            columns = [_enlarged(layer(level), size) for layer, level in zip(self.columns, levels, strict=True)]
            values = torch.cat(columns, dim=1)
        logits: Tensor = self.head(self.dropout(values))
        if self.training and len(self.deep):
            coarser = [_enlarged(layer(level), size) for layer, level in zip(self.deep, levels[:-1], strict=True)]
            logits = torch.cat([logits, *coarser], dim=1)
        return logits


class Up(nn.Module):
    """Twice as large, joined with the encoder's features of that size, and weighed."""

    def __init__(self, before: int, skip: int, after: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*normed(before + skip, after), *normed(after, after))
        self.weigh = SqueezeExcite(after)

    def forward(self, values: Tensor, skip: Tensor | None) -> Tensor:
        values = F.interpolate(values, scale_factor=2, mode="bilinear", align_corners=False)
        if skip is not None:
            values = torch.cat([values, skip], dim=1)
        weighed: Tensor = self.weigh(self.layers(values))
        return weighed


class SqueezeExcite(nn.Module):
    """Weighs channels by what the whole image says, and places by what their channels say; the sum of both (scSE)."""

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__()
        small = max(FEWEST, channels // reduction)
        self.channel = nn.Sequential(nn.Linear(channels, small), nn.ReLU(inplace=True), nn.Linear(small, channels))
        self.place = nn.Conv2d(channels, 1, 1)

    def forward(self, values: Tensor) -> Tensor:
        channels = torch.sigmoid(self.channel(values.mean(dim=(2, 3)))).unsqueeze(-1).unsqueeze(-1)
        return values * (channels + torch.sigmoid(self.place(values)))


def _enlarged(values: Tensor, size: torch.Size) -> Tensor:
    if values.shape[-2:] == size:
        return values
    return F.interpolate(values, size=size, mode="bilinear", align_corners=False)
