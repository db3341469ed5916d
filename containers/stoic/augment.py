"""Random changes of the training images, decided by a seed a case, so that neither workers nor resuming alter them.

They are made where the network is, after loading: on a GPU they cost next to nothing, and on the way the images stay
half-size numbers.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from containers.stoic.settings import Augment


def augment(images: Tensor, seeds: Tensor, settings: Augment) -> Tensor:
    """Change each of `images` (B, 1, Z, Y, X) in 0..1 by its own seed; the seeds are on the CPU."""
    size = (images.shape[2], images.shape[3], images.shape[4])
    draws = [torch.Generator().manual_seed(int(seed)) for seed in seeds]
    values = [torch.rand(7, generator=draw) * 2 - 1 for draw in draws]  # each in -1..1
    if settings.flip or settings.shift or settings.scale or settings.rotate:
        theta = torch.stack([matrix(value, size, settings) for value in values]).to(images)
        grid = F.affine_grid(theta, list(images.shape), align_corners=False)
        images = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
    if settings.gain:
        gains = torch.stack([1 + settings.gain * value[6] for value in values]).to(images)
        images = images * gains.view(-1, 1, 1, 1, 1)
    if settings.noise:
        images = images + settings.noise * torch.stack([_noise(images[0], int(seed)) for seed in seeds])
    return images.clamp(0, 1)


def matrix(draw: Tensor, size: tuple[int, int, int], settings: Augment) -> Tensor:
    """The 3 x 4 matrix of one case in grid_sample's coordinates, which are x, y, z from -1 to 1."""
    zoom = 1 / (1 + settings.scale * float(draw[0]))
    angle = math.radians(settings.rotate * float(draw[1]))
    mirror = -1.0 if settings.flip and float(draw[2]) < 0 else 1.0
    turned = torch.tensor(
        [
            [math.cos(angle) * mirror, -math.sin(angle), 0.0],
            [math.sin(angle) * mirror, math.cos(angle), 0.0],
            [0.0, 0.0, 1.0],
        ]
    )
    half = torch.tensor([size[2] / 2, size[1] / 2, size[0] / 2])  # a turn is one in voxels, not in relative coordinates
    turned = zoom * turned * half.view(1, 3) / half.view(3, 1)
    shift = settings.shift * draw[3:6].to(half) / half
    return torch.cat([turned, shift.view(3, 1)], dim=1)


def _noise(like: Tensor, seed: int) -> Tensor:
    generator = torch.Generator(like.device).manual_seed(seed)
    return torch.randn(like.shape, generator=generator, device=like.device, dtype=like.dtype)
