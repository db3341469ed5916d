"""One window: what the network says of it, and how much each of its voxels counts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor, nn

SHARPNESS, PEAK = 1 / 8, 10.0  # of the weights: their sigma as a share of the patch, and their largest


def weights(patch: Sequence[int], device: torch.device) -> Tensor:
    """A Gaussian in half precision: a window's centre counts most; none of it is 0, by which nothing can be divided."""
    point = np.zeros(tuple(patch))
    point[tuple(size // 2 for size in patch)] = 1
    bell = ndimage.gaussian_filter(point, [size * SHARPNESS for size in patch], mode="constant")
    found = torch.from_numpy(bell * (PEAK / bell.max())).half()
    return found.masked_fill_(found == 0, found[found > 0].min()).to(device)


def logits(network: nn.Module, window: Tensor, mirror_axes: Sequence[int]) -> Tensor:
    """(class, z, y, x): the mean over the window and its copies mirrored along every choice of the axes."""
    total: Tensor = network(window)
    views = [
        [axis + 2 for axis in chosen]
        for count in range(1, len(mirror_axes) + 1)
        for chosen in combinations(mirror_axes, count)
    ]
    for view in views:
        total += network(window.flip(view)).flip(view)
    if views:
        total /= len(views) + 1
    return total[0]
