"""The optimizer that was chosen, and how its learning rate goes."""

from __future__ import annotations

import math
from typing import Any

from torch import nn
from torch.optim import SGD, AdamW, Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

OPTIMIZERS = ("AdamW", "SGD")
SCHEDULERS = ("ReduceLROnPlateau", "cosine", "constant")
MOMENTUM = 0.9
FACTOR, PATIENCE = 0.3, 4  # of a plateau: times this after so many epochs that were no better
WARM_UP = 100  # steps, or the first epoch if that is shorter
LAST = 0.01  # share of the rate that a cosine ends with


def optimizer_of(kind: str, network: nn.Module, rate: float, decay: float) -> Optimizer:
    """Norms and biases do not decay."""
    weights = [value for value in network.parameters() if value.ndim > 1]
    others = [value for value in network.parameters() if value.ndim < 2]
    groups: list[dict[str, Any]] = [{"params": weights, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
    if kind == "AdamW":
        return AdamW(groups, lr=rate)
    return SGD(groups, lr=rate, momentum=MOMENTUM, nesterov=True)


class Schedule:
    """Warm-up, then as chosen. `step` before each step, `end_of_epoch` with the loss that judges it."""

    def __init__(self, kind: str, optimizer: Optimizer, rate: float, epochs: int, steps: int) -> None:
        self.kind, self.optimizer, self.rate = kind, optimizer, rate
        self.steps, self.total, self.done = steps, epochs * steps, 0
        self.plateau = ReduceLROnPlateau(optimizer, factor=FACTOR, patience=PATIENCE)

    def step(self) -> None:
        warm = min(1.0, (self.done + 1) / min(WARM_UP, self.steps))
        share = 1.0
        if self.kind == "cosine":
            share = LAST + (1 - LAST) * (1 + math.cos(math.pi * self.done / self.total)) / 2
        if self.kind != "ReduceLROnPlateau" or self.done < min(WARM_UP, self.steps):
            for group in self.optimizer.param_groups:
                group["lr"] = self.rate * warm * share
        self.done += 1

    def end_of_epoch(self, loss: float) -> None:
        if self.kind == "ReduceLROnPlateau":
            self.plateau.step(loss)

    @property
    def current(self) -> float:
        return float(self.optimizer.param_groups[0]["lr"])

    def state_dict(self) -> dict[str, Any]:
        return {"done": self.done, "plateau": self.plateau.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.done = state["done"]
        self.plateau.load_state_dict(state["plateau"])
