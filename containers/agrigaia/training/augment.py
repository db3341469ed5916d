"""Pictures changed at random while they are learnt from: turned, mirrored, moved, scaled, in other light."""

from __future__ import annotations

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

KINDS = ("none", "mirror", "aerial")  # aerial: also turned, since above has no up and down
SCALES, SHIFT = (0.8, 1.1), 0.08  # of what is seen; shift as a share of half a picture
LIGHT, TINT = 0.2, 0.06


def movements(count: int, kind: str, random: Generator) -> Tensor:
    """Where in the old picture a place of the new one lies, for each: (count, 2, 3), with the sides at -1 and 1."""
    turns = torch.randint(0, 4 if kind == "aerial" else 1, (count,), generator=random)
    mirrored = torch.randint(0, 2, (count,), generator=random) * 2.0 - 1
    scale = torch.empty(count).uniform_(*SCALES, generator=random)
    cosine, sine = torch.tensor([1.0, 0, -1, 0])[turns], torch.tensor([0.0, 1, 0, -1])[turns]
    rows = torch.stack([torch.stack([cosine, -sine], 1), torch.stack([sine, cosine], 1)], 1)
    columns = torch.stack([mirrored, torch.ones(count)], 1)[:, None]
    shift = torch.empty(count, 2, 1).uniform_(-SHIFT, SHIFT, generator=random)
    return torch.cat([rows * columns * scale[:, None, None], shift], 2)


def moved(pictures: Tensor, movement: Tensor) -> Tensor:
    grid = F.affine_grid(movement.to(pictures.device), list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, mode="bilinear", padding_mode="border", align_corners=False)


def moved_boxes(boxes: Tensor, movement: Tensor, size: int) -> Tensor:
    """Boxes (n, 4) of one picture of `size` pixels, where they are in the moved one; they may lie beyond it."""
    corners = boxes.reshape(-1, 2, 2) * (2 / size) - 1
    back = torch.linalg.inv(movement[:, :2])
    found = (corners - movement[:, 2]) @ back.T
    low, high = found.amin(1), found.amax(1)
    return (torch.cat([low, high], 1) + 1) * (size / 2)


def lit(pictures: Tensor, random: Generator) -> Tensor:
    """Brighter or darker, of more or less contrast, a little tinted."""
    count = len(pictures)
    light = 1 + torch.empty(count, 1, 1, 1).uniform_(-LIGHT, LIGHT, generator=random)
    tint = 1 + torch.empty(count, 3, 1, 1).uniform_(-TINT, TINT, generator=random)
    contrast = (1 + torch.empty(count, 1, 1, 1).uniform_(-LIGHT, LIGHT, generator=random)).to(pictures.device)
    middle = pictures.mean((1, 2, 3), keepdim=True)
    changed = (pictures - middle) * contrast + middle
    return (changed * (light * tint).to(pictures.device)).clamp_(0, 1)
