"""Train one fold: called by containers.stoic.train, or started by it through torchrun in several processes."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader

from containers.kit import cpus, distributed, rng
from containers.kit.batches import loader, to_device, workers_that_fit
from containers.kit.distributed import Group
from containers.kit.errors import reports_errors
from containers.kit.logs import Board, write_table
from containers.kit.loop import fit
from containers.kit.parent import die_with_parent
from containers.kit.settings import parse
from containers.kit.task import Plan, Row, Weights
from containers.kit.weights import save
from containers.stoic import models, pretrained
from containers.stoic.augment import augment
from containers.stoic.dataset import Cases
from containers.stoic.job import Job
from containers.stoic.metric import auc
from containers.stoic.publish import publish
from containers.stoic.settings import Settings

COLUMNS = ("fold", "epoch", "train_loss", "val_loss", "auc_severe", "auc_covid", "lr", "seconds")


class Fold:
    """The part of the training loop that is about STOIC."""

    def __init__(self, job: Job, number: int, group: Group) -> None:
        train = job.settings.train
        self.job, self.files, self.train = job, job.fold(number), train
        self.name = f"fold {number}"
        seed = rng.seed_of(train.seed, number)
        rng.seed_all(seed)
        self.model = models.build(train.model, train.model_args, train.demographics)
        if train.weights:
            said = pretrained.load(self.model.get_submodule("backbone"), Path(train.weights))
            print(said if group.first else "", end="\n" * group.first, flush=True)
        self.data = Cases(job.split.training(number), seed)
        self.cases = len(self.data)
        self.held = Cases(job.split.folds[number], seed)
        self.board: Board | None = None
        self.plan = Plan(
            train.epochs, train.patience, train.batch, train.lr, train.weight_decay, train.warmup,
            train.amp, train.loaders, train.checkpoint_minutes, seed,
        )  # fmt: skip
        self.held_loader = validation_loader(self.held, train.batch, train.loaders, group)

    def weights(self, batch: dict[str, Tensor]) -> Tensor:
        return counted(batch["target"], self.train.severity_cases).sum(dim=0)

    def losses(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        with torch.no_grad(), torch.autocast(batch["image"].device.type, enabled=False):
            images = augment(batch["image"].float(), batch["seed"].cpu(), self.train.augment)
        return self._loss(model(images, batch["person"]), batch["target"])

    def _loss(self, logits: Tensor, target: Tensor) -> Tensor:
        each = F.binary_cross_entropy_with_logits(logits.float(), target, reduction="none")
        return (each * counted(target, self.train.severity_cases)).sum(dim=0)

    def validate(self, model: nn.Module, group: Group) -> tuple[tuple[float, ...], Row]:
        """The score is the AUC of severity, and the loss where that is equal or cannot be had."""
        rows = []
        for batch in self.held_loader:
            there = to_device(batch, group.device)
            logits = model(there["image"].float(), there["person"]).float().cpu()
            rows.append(torch.cat([batch["index"].unsqueeze(1).float(), batch["target"], logits], dim=1))
        mine = torch.cat(rows).numpy() if rows else np.zeros((0, 5), dtype=np.float32)
        everything = np.concatenate(group.gather(mine))
        everything = everything[np.argsort(everything[:, 0])]
        target, logits = everything[:, 1:3], everything[:, 3:5]
        counts = counted(torch.from_numpy(target), self.train.severity_cases).sum(dim=0).clamp(min=1)
        loss = float((self._loss(torch.from_numpy(logits), torch.from_numpy(target)) / counts).mean())
        positive = target[:, 0] > 0
        severe = auc(target[positive, 1], logits[positive, 1])
        row: Row = {"val_loss": loss, "auc_severe": severe, "auc_covid": auc(target[:, 0], logits[:, 0])}
        return (severe or 0.0, -loss), row

    def improved(self, weights: Weights, row: Row) -> None:
        save(self.files.weights, weights)
        self.files.write_best(row)
        publish(self.job)

    def wrote(self, history: list[Row]) -> None:
        self.files.write_history(history, finished=False)
        write_metrics(self.job)
        last = history[-1]
        if self.board is None:
            self.board = Board(self.job.logs / "tensorboard" / self.job.key / f"fold{self.files.number}", last["epoch"])
        self.board.add(last["epoch"], last)
        shown = "  ".join(f"{name} {last[name]:.4g}" for name in COLUMNS[2:] if last.get(name) is not None)
        print(f"{self.name}  epoch {last['epoch']}/{self.plan.epochs}  {shown}", flush=True)


def train_fold(job: Job, number: int, group: Group) -> None:
    """Train a fold to its end, from its checkpoint where there is one."""
    torch.set_num_threads(max(1, cpus.available() // group.world))
    files = job.fold(number)
    files.folder.mkdir(parents=True, exist_ok=True)
    task = Fold(job, number, group)
    progress = fit(task, task.plan, group, files.checkpoint, job.key)
    if task.board is not None:
        task.board.close()
    if group.first:
        files.write_history(progress.history, finished=True)
        files.checkpoint.unlink(missing_ok=True)  # the history says that it is finished, the weights lie beside it


def counted(target: Tensor, severity_cases: str) -> Tensor:
    """Which of a batch's labels count in the loss: all, or for severity only those of positive cases."""
    counts = torch.ones_like(target)
    if severity_cases == "positives":
        counts[:, 1] = target[:, 0]
    return counts


def validation_loader(cases: Cases, batch: int, loaders: int, group: Group) -> DataLoader[dict[str, Tensor]]:
    """This process's share of the cases, each once, in their order."""
    mine = [(0, index) for index in range(group.rank, len(cases), group.world)]
    batches = [mine[first : first + batch] for first in range(0, len(mine), batch)]
    size = sum(value.nbytes for value in cases[(0, 0)].values()) * batch
    return loader(cases, batches, workers_that_fit(loaders, size, group.world), group.device, persistent=True)


def write_metrics(job: Job) -> None:
    """metrics.csv of all folds, made anew of their histories."""
    rows: list[dict[str, Any]] = []
    for number in job.folds:
        rows += [{"fold": number, **row} for row in job.fold(number).history()[0]]
    write_table(job.logs / "metrics.csv", COLUMNS, rows)


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for flag in ("--reference", "--cases", "--scratch", "--artifact"):
        parser.add_argument(flag, type=Path, required=True)
    parser.add_argument("--settings", required=True)
    parser.add_argument("--revision", required=True)
    parser.add_argument("--fold", type=int, required=True)
    args = parser.parse_args(argv)
    die_with_parent()
    settings = parse(Settings, args.settings, "settings")
    job = Job(settings, args.reference, args.cases, args.scratch, args.artifact, args.revision)
    with distributed.joined() as group:
        train_fold(job, args.fold, group)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
