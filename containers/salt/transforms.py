"""From images of 101 x 101 to what the networks see, 128 x 128, and the random changes made in training."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from containers.salt.settings import Augment, Inputs

BEFORE, AFTER = 14, 13  # pixels mirrored in at the top and left, at the bottom and right
PADDED = 128
SPREAD = 40.0  # grey levels; the depth is brought to about the spread of an image, so that both are learned from alike
DRAWS = 6

Array = np.ndarray[Any, Any]


def grey(images: Array) -> Tensor:
    """(n, 1, 101, 101) of bytes (n, 101, 101), or of colour images, whose three channels are equal."""
    first = images if images.ndim == 3 else images[..., 0]
    return torch.from_numpy(np.ascontiguousarray(first)).unsqueeze(1).float()


def network_input(images: Tensor, depths: Tensor | None, inputs: Inputs) -> Tensor:
    """(n, channels, 128, 128) of grey levels (n, 1, 101, 101) and depths (n,)."""
    planes = [(padded(images) - inputs.offset) / inputs.scale] * (inputs.channels - inputs.depth)
    if inputs.depth:
        if depths is None:
            raise ValueError("the network was trained with depths, so that it needs them")
        level = (depths.to(images) - inputs.depth_mean) / inputs.depth_std * (SPREAD / inputs.scale)
        planes.append(level.view(-1, 1, 1, 1).expand_as(planes[0]))
    return torch.cat(planes, dim=1)


def padded(values: Tensor) -> Tensor:
    """(n, c, 101, 101) to (n, c, 128, 128), mirrored at the edges."""
    return F.pad(values, (BEFORE, AFTER, BEFORE, AFTER), mode="reflect")


def cropped(values: Tensor) -> Tensor:
    """(..., 128, 128) back to (..., 101, 101)."""
    return values[..., BEFORE:-AFTER, BEFORE:-AFTER]


def augment(images: Tensor, masks: Tensor, seeds: Tensor, settings: Augment) -> tuple[Tensor, Tensor]:
    """Change each image (n, 1, h, w) and its mask (n, 1, h, w) of 0 and 1 by its own seed.

    A seed a case and no common generator: neither batches nor resuming alter what is drawn.
    """
    values = torch.stack([_draw(int(seed)) for seed in seeds])
    if settings.flip:
        mirrored = (values[:, 0] < 0).to(images.device).view(-1, 1, 1, 1)
        images = torch.where(mirrored, images.flip(-1), images)
        masks = torch.where(mirrored, masks.flip(-1), masks)
    if settings.shift or settings.scale:
        grid = F.affine_grid(_matrices(values, images, settings), list(images.shape), align_corners=False)
        images = F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
        masks = F.grid_sample(masks, grid, mode="nearest", padding_mode="reflection", align_corners=False)
    if settings.offset or settings.gain:
        offset, gain = (values[:, column].to(images).view(-1, 1, 1, 1) for column in (4, 5))
        middle = images.mean(dim=(-2, -1), keepdim=True)
        images = (images - middle) * (1 + settings.gain * gain) + middle + settings.offset * offset
        images = images.clamp(0, 255)
    return images, masks


def _draw(seed: int) -> Tensor:
    """Numbers from -1 to 1: mirror, size, shift across and down, offset, gain."""
    return torch.rand(DRAWS, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def _matrices(values: Tensor, images: Tensor, settings: Augment) -> Tensor:
    """(n, 2, 3) in grid_sample's coordinates, x and y from -1 to 1: where a pixel of the result comes from."""
    zoom = torch.exp(-math.log1p(settings.scale) * values[:, 1])
    height, width = images.shape[-2:]
    across, down = (settings.shift * values[:, column] * 2 / side for column, side in ((2, width), (3, height)))
    nothing = torch.zeros_like(zoom)
    rows = [torch.stack([zoom, nothing, across], dim=1), torch.stack([nothing, zoom, down], dim=1)]
    return torch.stack(rows, dim=1).to(images)
