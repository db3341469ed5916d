"""A learning rate that falls and starts anew, a snapshot of the network at the end of each fall, and their mean."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

Predict = Callable[[nn.Module, Tensor], Tensor]


def factor(step: int, cycle: int, floor: float) -> float:
    """What the learning rate is multiplied by at `step`: half a cosine from 1 to `floor` in each `cycle` of steps."""
    if cycle < 2:
        return 1.0
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * (step % cycle) / (cycle - 1)))


def restarts(optimizer: Optimizer, steps: int, cycle: int, floor: float) -> LambdaLR:
    """The schedule for epochs of `steps` and cycles of `cycle` epochs; call its `step()` after each of the steps."""
    return LambdaLR(optimizer, lambda step: factor(step, cycle * steps, floor))


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
