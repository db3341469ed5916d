"""Snapshots of a network, each from the end of a cycle of its learning rate, and the mean of what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

Predict = Callable[[nn.Module, Tensor], Tensor]


def snapshot_epochs(epochs: int, cycle: int, last: int = 0) -> tuple[int, ...]:
    """After which epochs, counted from 1, a cycle is complete; only the `last` of them, 0 for all.

    Where the training is shorter than a cycle, its end is the one snapshot.
    """
    found = tuple(range(cycle, epochs + 1, cycle)) or (epochs,)
    return found[-last:] if last else found


def _of_one(network: nn.Module, images: Tensor) -> Tensor:
    logits: Tensor = network(images)
    return logits


@torch.no_grad()
def mean_logits(networks: Iterable[nn.Module], images: Tensor, predict: Predict = _of_one) -> Tensor:
    """The mean of several networks' logits, as `predict` gets them, one network in use at a time."""
    total, count = torch.zeros(()), 0
    for network in networks:
        total, count = total.to(images.device) + predict(network, images).float(), count + 1
    if not count:
        raise ValueError("there is no network to ask")
    return total / count
