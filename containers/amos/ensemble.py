"""The folds of a model, one of which is in memory at a time."""

from __future__ import annotations

from contextlib import nullcontext

import torch
from torch import Tensor

from containers.amos import windows
from containers.amos.model import Fold, Model
from containers.amos.network import build, fill


class Ensemble:
    """One network on `device`, whose weights are read again when another fold's turn comes."""

    def __init__(self, model: Model, device: torch.device, mirror: bool) -> None:
        self.folds, self.device = model.folds, device
        self.mirror_axes = model.mirror_axes if mirror else ()
        self.network = build(model.plan).to(device)
        self.loaded: Fold | None = None

    def load(self, fold: Fold) -> None:
        if fold != self.loaded:
            fill(self.network, fold.path)
            self.loaded = fold

    def logits(self, window: Tensor) -> Tensor:
        """(class, z, y, x) of a window (1, 1, z, y, x), by the loaded fold; autocast on a GPU, as in nnU-Net."""
        gpu = self.device.type == "cuda"
        with torch.autocast("cuda") if gpu else nullcontext(), torch.backends.cudnn.flags(benchmark=gpu):
            return windows.logits(self.network, window.to(self.device), self.mirror_axes)
