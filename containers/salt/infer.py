"""What networks say of images: the mean of their logits, brought back to the images' size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from containers.salt.settings import Inputs, Tta
from containers.salt.snapshots import mean_logits
from containers.salt.transforms import cropped, grey, network_input
from containers.salt.tta import logits

Array = np.ndarray[Any, Any]


@torch.inference_mode()
def predict(
    networks: Sequence[nn.Module],
    images: Array,
    depths: Array | None,
    inputs: Inputs,
    tta: Tta = "hflip",
    batch: int = 32,
    device: torch.device | None = None,
) -> Array:
    """Logits of images (n, 101, 101) in bytes: (n, 101, 101) of segmenters, (n,) of classifiers; float32.

    The networks are in evaluation mode on `device`, the CPU where none is given.
    """
    device = device or torch.device("cpu")

    def of_one(network: nn.Module, there: Tensor) -> Tensor:
        said = logits(network, there, tta)
        return cropped(said).squeeze(1) if said.ndim == 4 else said

    found = []
    for first in range(0, len(images), batch):
        some = slice(first, first + batch)
        feet = None if depths is None else torch.from_numpy(depths[some]).to(device)
        there = network_input(grey(images[some]).to(device), feet, inputs).contiguous(memory_format=torch.channels_last)
        found.append(mean_logits(networks, there, of_one).cpu())
    return np.asarray(torch.cat(found).numpy(), np.float32)
