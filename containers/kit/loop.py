"""The training loop: it can be killed at any moment, and goes on to the very weights it would have reached."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.lr_scheduler import LambdaLR

from containers.kit import checkpoint, rng
from containers.kit.amp import Precision
from containers.kit.batches import Batches, loader, to_device, workers_that_fit
from containers.kit.distributed import Group
from containers.kit.errors import UserError
from containers.kit.progress import bar
from containers.kit.schedule import cosine, restarts
from containers.kit.task import Plan, Progress, Row, Task

Ended = Callable[[int, nn.Module], None]
FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}  # of 2-D and 3-D convolutions, by their kernels' rank


def fit(task: Task, plan: Plan, group: Group, path: Path, key: str, ended: Ended | None = None) -> Progress:
    """Train, from the checkpoint at `path` where there is one, and return the best weights and the history.

    `ended` is called in the first process after each epoch, counted from 1, and before its checkpoint: what it writes
    of the model is on disk before the epoch counts as done.
    """
    try:
        return _Fit(task, plan, group, path, key).run(ended)
    except torch.cuda.OutOfMemoryError:
        said = f"{plan.section}.batch {plan.batch}; lower it"
        raise UserError(f"{task.name}: the GPU's memory ended at {said}") from None


class _Fit:
    def __init__(self, task: Task, plan: Plan, group: Group, path: Path, key: str) -> None:
        self.task, self.plan, self.group, self.path, self.key = task, plan, group, path, key
        self.batches = Batches(task.cases, plan.batch, plan.seed, group.world, group.rank)
        self.model = placed(task.model, group)
        self.optimizer = _optimizer(self.model, plan)
        self.schedule = _schedule(self.optimizer, plan, self.batches.steps)
        self.precision = Precision(plan.amp, group.device)
        self.progress = Progress()
        self.rate = plan.lr  # of the last step
        self.saved = time.monotonic()

    def run(self, ended: Ended | None) -> Progress:
        rng.seed_all(rng.seed_of("steps", self.plan.seed, self.group.rank))
        self._restore()
        progress, plan = self.progress, self.plan
        if progress.best:  # the last run may have been killed before it told
            self._tell(better=True)
        parallel: nn.Module = DistributedDataParallel(self.model) if self.group.world > 1 else self.model
        data = self._loader()
        with self._bar() as advance:
            while not progress.ended(plan):
                for _ in self._epoch(parallel, data):
                    advance()
                better = self._validate()
                if ended and self.group.first:
                    ended(progress.epoch, self.model)
                self._save()
                self._tell(better)
        return progress

    @contextmanager
    def _bar(self) -> Iterator[Callable[[], Any]]:
        if not self.group.first:
            yield lambda: None
            return
        steps = self.batches.steps
        with bar(total=self.plan.epochs * steps, title=self.task.name) as shown:
            shown.initial = shown.n = self.progress.epoch * steps + self.progress.step
            yield shown.update

    def _loader(self) -> Any:
        size = sum(value.nbytes for value in self.task.data[(0, 0)].values()) * self.plan.batch
        workers = workers_that_fit(self.plan.loaders, size, self.group.world)
        return loader(self.task.data, self.batches, workers, self.group.device, persistent=True)

    def _epoch(self, parallel: nn.Module, data: Any) -> Iterable[None]:
        """The rest of an epoch, a step at a time."""
        progress = self.progress
        self.batches.begin(progress.epoch, progress.step)
        parallel.train()
        began = time.monotonic() - progress.seconds
        for batch in data:
            due = self._step(parallel, batch)
            progress.seconds = time.monotonic() - began
            if due and progress.step < self.batches.steps:
                self._save()
            yield

    def _step(self, parallel: nn.Module, batch: dict[str, Tensor]) -> bool:
        """One step, with a loss that is a mean over all processes' cases; say whether a checkpoint is due."""
        weights = self.task.weights(batch).double()
        # The first process's clock decides for all when to save; its word travels with the weights.
        late = self.group.first and time.monotonic() - self.saved >= 60 * self.plan.checkpoint_minutes
        message = self.group.sum(torch.cat([weights, torch.tensor([float(late)]).double()]))
        counts = message[:-1]
        with self.precision.autocast():
            sums = self.task.losses(parallel, to_device(batch, self.group.device))
        # DistributedDataParallel takes the mean of the processes' gradients where their sum is meant.
        loss = (sums / torch.where(counts > 0, counts, 1.0).to(sums)).mean() * self.group.world
        self.precision.step(loss, self.optimizer)
        self.rate = float(self.schedule.get_last_lr()[0])
        self.schedule.step()
        self.progress.add(sums.detach().double(), counts)
        return bool(message[-1])

    def _validate(self) -> bool:
        """End an epoch: its loss, its score, and whether it is the best so far."""
        progress, began = self.progress, time.monotonic()
        assert progress.counts is not None
        loss = float((self._sums() / progress.counts.clamp(min=1.0)).mean())
        if not abs(loss) < float("inf"):
            raise UserError(
                f"{self.task.name}: the loss is {loss} in epoch {progress.epoch + 1}; lower {self.plan.section}.lr"
            )
        self.group.align(self.model)
        self.model.eval()
        with torch.no_grad(), self.precision.autocast():
            score, measured = self.task.validate(self.model, self.group)
        seconds = progress.seconds + time.monotonic() - began
        row: Row = {"epoch": progress.epoch + 1, "train_loss": loss, **measured, "lr": self.rate, "seconds": seconds}
        better = not progress.score or list(score) > progress.score
        if better:
            progress.score, progress.row, progress.stale = list(score), row, 0
            progress.best = {name: value.detach().cpu().clone() for name, value in self.model.state_dict().items()}
        else:
            progress.stale += 1
        progress.history.append(row)
        progress.epoch, progress.step, progress.seconds = progress.epoch + 1, 0, 0.0
        progress.sums = progress.counts = None
        return better

    def _tell(self, better: bool) -> None:
        if not self.group.first:
            return
        if better:
            self.task.improved(self.progress.best, self.progress.row)
        self.task.wrote(self.progress.history)

    def _sums(self) -> Tensor:
        """The epoch's loss so far over all processes."""
        assert self.progress.sums is not None
        return self.group.sum(self.progress.sums.cpu())

    def _save(self) -> None:
        """Write a checkpoint; the task is told afterwards, so that a killed run knows again what it told."""
        states = self.group.gather(rng.capture())
        sums = None if self.progress.sums is None else self._sums()
        self.saved = time.monotonic()
        if self.group.first:
            state = {
                "model": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "schedule": self.schedule.state_dict(),
                "scaler": self.precision.scaler.state_dict(),
                "rng": states,
                "progress": vars(self.progress) | {"sums": sums},
            }
            checkpoint.save(self.path, state, self.key)

    def _restore(self) -> None:
        """Take up the checkpoint. The first process reads it for all, so that all begin at the same step."""
        state = self.group.share(checkpoint.load(self.path, self.key) if self.group.first else None)
        if state is None:
            return
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.precision.scaler.load_state_dict(state["scaler"])
        self.progress = Progress(**state["progress"])
        if self.progress.sums is not None:
            self.progress.sums = self.progress.sums.to(self.group.device) * self.group.first  # a sum over all processes
        rng.restore(state["rng"][self.group.rank])


def placed(model: nn.Module, group: Group) -> nn.Module:
    """The model on its device, in the memory layout that convolutions are fastest in, on GPUs and CPUs alike."""
    model = model.to(group.device)
    for parameter in model.parameters():
        if parameter.ndim in FORMATS:
            parameter.data = parameter.data.to(memory_format=FORMATS[parameter.ndim])
    if group.device.type == "cuda" and group.world > 1:  # a GPU's share of a batch may be one case: no variance
        model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
    return model


def _optimizer(model: nn.Module, plan: Plan) -> torch.optim.Optimizer:
    groups = _groups(model, plan.weight_decay)
    if plan.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=plan.lr, momentum=0.9, nesterov=True)
    return torch.optim.AdamW(groups, lr=plan.lr)


def _schedule(optimizer: torch.optim.Optimizer, plan: Plan, steps: int) -> LambdaLR:
    """Of epochs of so many steps."""
    if plan.cycle:
        return restarts(optimizer, steps, plan.cycle, plan.floor)
    return cosine(optimizer, plan.epochs * steps, plan.warmup)


def _groups(model: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Weight decay is for kernels; biases and normalisations are better without."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return [
        {"params": [parameter for parameter in parameters if parameter.ndim > 1], "weight_decay": decay},
        {"params": [parameter for parameter in parameters if parameter.ndim <= 1], "weight_decay": 0.0},
    ]
