"""The epochs of a training: steps, judging, the best weights so far, and a checkpoint to go on from."""

from __future__ import annotations

import copy
import hashlib
import json
import math
import time
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from record import forget, write_history
from saving import replacing
from schedule import Schedule, optimizer_of
from torch import Generator, Tensor, nn

READY = "Executing your training code in train.py::__main__"
CHECKPOINT = "last.checkpoint"  # beside the model
CLIP = 10.0  # norm of gradients


@dataclass(frozen=True)
class Plan:
    epochs: int
    batch_size: int
    optimizer: str
    learning_rate: float
    weight_decay: float
    lr_scheduler: str
    seed: int

    @staticmethod
    def of(options: Namespace) -> Plan:
        values = {name: getattr(options, name) for name in Plan.__dataclass_fields__}
        return Plan(**values)


@dataclass(frozen=True)
class Judged:
    """How good a network is: `score` to compare (more is better; of equal ones, less loss), `words` for the log."""

    score: float
    loss: float
    words: str


def start(train: Callable[[Namespace], None], parse: Callable[[], Namespace]) -> None:
    """What every train.py does first; the platform looks for this line."""
    print(READY, flush=True)
    options = parse()
    try:
        train(options)
    except torch.OutOfMemoryError:
        wanted = f"batch-size {options.batch_size} at img-size {options.img_size}"
        raise SystemExit(f"error: {wanted} does not fit in the memory of the GPU; lower one of them") from None


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def key_of(what: Mapping[str, Any], files: Sequence[Path]) -> str:
    """Equal for equal settings and data; of pictures the size counts, of others the content."""
    digest = hashlib.sha256(json.dumps(what, sort_keys=True, default=str).encode())
    for file in files:
        content = file.read_bytes() if file.suffix in (".json", ".txt", ".yaml") else str(file.stat().st_size).encode()
        digest.update(f"\n{file.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def fit(
    network: nn.Module,
    plan: Plan,
    count: int,
    loss_of: Callable[[Tensor, Generator], Tensor],
    judge: Callable[[], Judged] | None,
    checkpoint: Path,
    key: str,
) -> None:
    """Train on items 0..count; leave the network with the best weights that `judge` saw, the last ones without it.

    A checkpoint of the same key is gone on from. Each epoch's random numbers come from the seed and its number, so
    that a training that was interrupted ends as if it had not been. history.csv beside it tells of all epochs so far.
    """
    steps = len(batches(torch.arange(count), plan.batch_size))
    optimizer = optimizer_of(plan.optimizer, network, plan.learning_rate, plan.weight_decay)
    schedule = Schedule(plan.lr_scheduler, optimizer, plan.learning_rate, plan.epochs, steps)
    state = _found(checkpoint, key)
    best: dict[str, Any] = {"rank": [-math.inf, 0.0], "epoch": 0, "weights": copy.deepcopy(network.state_dict())}
    begin, history = 0, []
    if state:
        begin, best, history = state["epochs"], state["best"], state["history"]
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        print(f"{checkpoint} has {begin} of {plan.epochs} epochs of this training; it goes on from there.", flush=True)
        write_history(checkpoint.parent, history)
    else:
        forget(checkpoint.parent)
    for epoch in range(begin, plan.epochs):
        started = time.monotonic()
        loss = _epoch(network, plan, count, epoch, loss_of, optimizer, schedule)
        judged, rate = judge() if judge else Judged(epoch, loss, ""), schedule.current
        schedule.end_of_epoch(judged.loss)
        rank = [judged.score, -judged.loss]
        if math.isfinite(judged.loss) and rank > best["rank"]:
            best = {"rank": rank, "epoch": epoch + 1, "weights": copy.deepcopy(network.state_dict())}
        seconds = time.monotonic() - started
        told = {"val_loss": judged.loss, "score": judged.score} if judge else {"val_loss": None, "score": None}
        history.append({"epoch": epoch + 1, "train_loss": loss, **told, "lr": rate, "seconds": round(seconds, 2)})
        _keep(checkpoint, key, network, optimizer, schedule, {"best": best, "history": history, "epochs": epoch + 1})
        write_history(checkpoint.parent, history)
        words = f"  {judged.words}" if judged.words else ""
        print(
            f"epoch {epoch + 1:3}/{plan.epochs}  loss {loss:.4f}{words}  rate {rate:.2g}  {seconds:.1f} s",
            flush=True,
        )
    network.load_state_dict(best["weights"])
    if judge:
        print(f"The weights of epoch {best['epoch']} were the best of {plan.epochs}; the model has them.")


def batches(order: Tensor, size: int) -> list[Tensor]:
    """The last one may be smaller, and joins the one before if it were of one, for which there are no statistics."""
    parts = list(order.split(size))
    if len(parts) > 1 and len(parts[-1]) == 1:
        parts[-2:] = [torch.cat(parts[-2:])]
    return parts


def _epoch(
    network: nn.Module,
    plan: Plan,
    count: int,
    epoch: int,
    loss_of: Callable[[Tensor, Generator], Tensor],
    optimizer: torch.optim.Optimizer,
    schedule: Schedule,
) -> float:
    """The mean loss."""
    torch.manual_seed(plan.seed * 100_003 + epoch)
    random = Generator().manual_seed(plan.seed * 100_003 + epoch)
    network.train()
    total = 0.0
    for chosen in batches(torch.randperm(count, generator=random), plan.batch_size):
        schedule.step()
        loss = loss_of(chosen, random)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        optimizer.step()
        total += float(loss.detach()) * len(chosen)
    if not math.isfinite(total):
        raise SystemExit(f"error: the loss is no number any more in epoch {epoch + 1}; lower learning-rate")
    return total / count


def _found(checkpoint: Path, key: str) -> dict[str, Any] | None:
    """The state that a checkpoint of this training holds."""
    if not checkpoint.is_file():
        return None
    try:
        state: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)
        if state["key"] == key and isinstance(state["history"], list):
            return state
        print(f"{checkpoint} is of other settings or data; the training begins anew.", flush=True)
    except Exception as error:  # whatever a damaged file makes of it
        print(f"{checkpoint} cannot be read ({type(error).__name__}); the training begins anew.", flush=True)
    return None


def _keep(
    checkpoint: Path,
    key: str,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: Schedule,
    reached: Mapping[str, Any],
) -> None:
    state = {"key": key, "network": network.state_dict(), **reached}
    state |= {"optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()}
    replacing(checkpoint, lambda part: torch.save(state, part))
