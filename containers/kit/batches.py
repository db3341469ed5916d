"""Which cases make which batch: the same order for any number of processes, and a start anywhere within an epoch."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from containers.kit.rng import seed_of

Item = tuple[int, int]  # epoch, index of the case
PREFETCH = 2
SHARED_MEMORY = Path("/dev/shm")


class Batches(Sampler[list[Item]]):
    """Shuffled batches of one process; each is full, filled from the epoch's beginning where the cases end."""

    def __init__(self, cases: int, batch: int, seed: int, world: int = 1, rank: int = 0) -> None:
        self.cases, self.batch, self.seed, self.world, self.rank = cases, batch, seed, world, rank
        self.epoch, self.start = 0, 0

    @property
    def steps(self) -> int:
        """Batches an epoch."""
        return -(-self.cases // (self.batch * self.world))

    def begin(self, epoch: int, start: int) -> None:
        """Let the next iteration give `epoch` from its batch `start` on."""
        self.epoch, self.start = epoch, start

    def __len__(self) -> int:
        return self.steps - self.start

    def __iter__(self) -> Iterator[list[Item]]:
        order = np.random.default_rng(seed_of("order", self.seed, self.epoch)).permutation(self.cases)
        order = np.resize(order, self.steps * self.batch * self.world)
        mine = order.reshape(self.steps, self.world, self.batch)[:, self.rank]
        for batch in mine[self.start :].tolist():
            yield [(self.epoch, index) for index in batch]


def loader(
    data: Dataset[dict[str, Tensor]],
    batches: Batches | list[list[Item]],
    workers: int,
    device: torch.device,
    persistent: bool = False,
) -> DataLoader[dict[str, Tensor]]:
    """A loader of `batches`.

    It draws from a generator of its own: torch's must be in the same state whether a run was resumed or not.
    """
    return DataLoader(
        data,
        batch_sampler=batches,
        num_workers=workers,
        pin_memory=device.type == "cuda",
        generator=torch.Generator(),
        prefetch_factor=PREFETCH if workers else None,
        persistent_workers=persistent and workers > 0,
    )


def workers_that_fit(wanted: int, bytes_a_batch: int, processes: int = 1, shared: Path = SHARED_MEMORY) -> int:
    """At most `wanted` workers: where the batches on their way do not fit into shared memory, workers die."""
    try:
        free = shutil.disk_usage(shared).free
    except OSError:
        free = 0
    fit = int(free * 0.8) // (bytes_a_batch * (PREFETCH + 1) * processes)
    if fit < wanted:
        print(f"note: {shared} has room for {fit} of {wanted} loaders; using {fit}", file=sys.stderr, flush=True)
    return min(wanted, fit)


def to_device(batch: dict[str, Tensor], device: torch.device) -> dict[str, Any]:
    return {name: value.to(device, non_blocking=True) for name, value in batch.items()}
