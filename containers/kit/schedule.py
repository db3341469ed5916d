"""The learning rate over a training: a warm-up and one fall down to zero, or a fall in each of several cycles."""

from __future__ import annotations

import math

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


def factor(step: int, steps: int, warmup: float) -> float:
    """What the learning rate is multiplied by at `step` of `steps`; `warmup` is a share of all steps."""
    rising = max(1, round(warmup * steps)) if warmup > 0 else 0
    if step < rising:
        return (step + 1) / rising
    progress = (step - rising) / max(1, steps - rising)
    return 0.5 * (1.0 + math.cos(math.pi * min(1.0, progress)))


def cosine(optimizer: Optimizer, steps: int, warmup: float) -> LambdaLR:
    """The schedule; call its `step()` after every step of the optimizer."""
    return LambdaLR(optimizer, lambda step: factor(step, steps, warmup))


def restarting(step: int, cycle: int, floor: float) -> float:
    """What the learning rate is multiplied by at `step`: half a cosine from 1 to `floor` in each `cycle` of steps."""
    if cycle < 2:
        return 1.0
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * (step % cycle) / (cycle - 1)))


def restarts(optimizer: Optimizer, steps: int, cycle: int, floor: float) -> LambdaLR:
    """The schedule for epochs of `steps` and cycles of `cycle` epochs; call its `step()` after each of the steps."""
    return LambdaLR(optimizer, lambda step: restarting(step, cycle * steps, floor))
