"""Packed images as a data set of the training loop."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from containers.kit.batches import Item
from containers.kit.rng import seed_of
from workflow.scripts.salt.packed import Array, Packed


class Images(Dataset[dict[str, Tensor]]):
    """Some of the images; takes (epoch, index)."""

    def __init__(self, packed: Packed, places: Array, seed: int) -> None:
        self.packed, self.places, self.seed = packed, places, seed

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, item: Item) -> dict[str, Tensor]:
        epoch, index = item
        place = int(self.places[index])
        packed = self.packed
        return {
            "image": torch.from_numpy(np.array(packed.images[place])).unsqueeze(0),
            "mask": torch.from_numpy(np.array(packed.masks[place])).unsqueeze(0),
            "depth": torch.tensor(float(packed.depths[place])),
            "seed": torch.tensor(seed_of("augment", self.seed, epoch, packed.ids[place])),
            "epoch": torch.tensor(epoch),
        }
