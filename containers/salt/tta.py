"""Logits as the mean over an image and its mirror image."""

from __future__ import annotations

from torch import Tensor, nn

from containers.salt.settings import Tta


def logits(network: nn.Module, images: Tensor, tta: Tta = "hflip") -> Tensor:
    """Of a segmenter (n, 1, h, w) or a classifier (n,), in evaluation mode."""
    said: Tensor = network(images)
    if tta == "none":
        return said
    mirrored: Tensor = network(images.flip(-1))
    return (said + (mirrored.flip(-1) if said.ndim == 4 else mirrored)) / 2
