"""What the training loop is given, and what it keeps: the plan, the challenge's part, and the progress."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from torch import Tensor, nn
from torch.utils.data import Dataset

from containers.kit.amp import Amp
from containers.kit.distributed import Group

Weights = dict[str, Tensor]
Row = dict[str, Any]
Optimizer = Literal["adamw", "sgd"]


@dataclass(frozen=True)
class Plan:
    """How long and how fast to learn."""

    epochs: int
    patience: int  # epochs without a better score before it stops; 0 never stops early
    batch: int  # cases a process
    lr: float
    weight_decay: float
    warmup: float
    amp: Amp
    loaders: int
    checkpoint_minutes: float
    seed: int
    optimizer: Optimizer = "adamw"
    cycle: int = 0  # epochs from one restart of the learning rate to the next; 0 is a warm-up and one fall
    floor: float = 0.0  # share of lr that each cycle ends with
    section: str = "train"  # of the configuration, for errors


class Task(Protocol):
    """What a challenge brings.

    A loss has one or several terms; each is a sum over cases divided by a sum of weights, both over all processes, so
    that the gradient is the same for any number of them. The loop minimises the mean of the terms.
    """

    @property
    def name(self) -> str:
        """What the progress bar and errors call it."""

    @property
    def model(self) -> nn.Module: ...

    @property
    def cases(self) -> int:
        """How many there are to learn from."""

    @property
    def data(self) -> Dataset[dict[str, Tensor]]:
        """Takes (epoch, index)."""

    def weights(self, batch: dict[str, Tensor]) -> Tensor:
        """How much a batch, still on the CPU, counts in each term."""

    def losses(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        """The sum of each term over a batch on the model's device."""

    def validate(self, model: nn.Module, group: Group) -> tuple[tuple[float, ...], Row]:
        """A score, the greater the better and equal in all processes, and what to write down about it."""

    def improved(self, weights: Weights, row: Row) -> None:
        """Called in the first process with the best weights so far."""

    def wrote(self, history: list[Row]) -> None:
        """Called in the first process after every epoch."""


@dataclass
class Progress:
    """Where a training is. `epoch` and `step` are what comes next; `sums` and `counts` are the epoch's loss so far."""

    epoch: int = 0
    step: int = 0
    seconds: float = 0.0
    stale: int = 0  # epochs since the best
    score: list[float] = field(default_factory=list)
    row: Row = field(default_factory=dict)  # the best epoch's
    best: Weights = field(default_factory=dict)
    history: list[Row] = field(default_factory=list)
    sums: Tensor | None = None
    counts: Tensor | None = None

    def ended(self, plan: Plan) -> bool:
        return self.epoch >= plan.epochs or 0 < plan.patience <= self.stale

    def add(self, sums: Tensor, counts: Tensor) -> None:
        self.sums = sums if self.sums is None else self.sums + sums
        self.counts = counts if self.counts is None else self.counts + counts
        self.step += 1
