"""Preprocessed cases as tensors, read from memory-mapped files."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from containers.kit.batches import Item
from containers.kit.errors import UserError
from containers.kit.files import hash_of
from containers.kit.rng import seed_of
from containers.stoic.data import Case
from containers.stoic.demographics import encode


class Cases(Dataset[dict[str, Tensor]]):
    """Takes (epoch, index); the epoch only decides the seed of the augmentation."""

    def __init__(self, cases: Sequence[Case], seed: int) -> None:
        self.cases, self.seed = tuple(cases), seed

    def __len__(self) -> int:
        return len(self.cases)

    def __getitem__(self, item: Item) -> dict[str, Tensor]:
        epoch, index = item
        case = self.cases[index]
        return {
            "image": torch.from_numpy(volume(case).copy()).unsqueeze(0),
            "target": torch.tensor([case.covid, case.severe], dtype=torch.float32),
            "person": torch.tensor(encode(case.age, case.sex), dtype=torch.float32),
            "seed": torch.tensor(seed_of("augment", self.seed, epoch, case.id)),
            "index": torch.tensor(index),
        }


def volume(case: Case) -> np.ndarray[tuple[int, int, int], np.dtype[np.float16]]:
    """The case's voxels, mapped from its file."""
    try:
        voxels: np.ndarray[tuple[int, int, int], np.dtype[np.float16]] = np.load(case.path, mmap_mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise UserError(
            f"{case.path} cannot be read ({error}); delete its .json beside it and preprocess again"
        ) from None
    return voxels


def fingerprint(cases: Sequence[Case]) -> str:
    """A short name for what is learned from: labels, age, sex, and the middle slice of each volume."""
    return hash_of(
        [
            [case.id, case.covid, case.severe, case.age, case.sex, *_sample(case)]
            for case in sorted(cases, key=lambda c: c.id)
        ]
    )


def _sample(case: Case) -> list[str]:
    voxels = volume(case)
    middle = np.ascontiguousarray(voxels[len(voxels) // 2])
    return [str(voxels.shape), hashlib.sha256(middle.tobytes()).hexdigest()]
