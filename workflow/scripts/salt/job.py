"""One network of one fold: what it learns from, and where it lies while it learns.

In scratch: `<key>/` with the checkpoint, the snapshots and the history, and metrics.csv. The key stands for all that
the weights depend on, so that changed settings, data or code begin anew, and the same training goes on where it was.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from containers.kit import cpus, distributed
from containers.kit.amp import Amp
from containers.kit.code import code
from containers.kit.errors import UserError
from containers.kit.files import hash_of, read_json, sha256, write_json
from containers.kit.rng import seed_of
from containers.kit.task import Plan
from containers.kit.weights import mark
from containers.salt import networks
from containers.salt.settings import Inputs, Learning
from containers.salt.snapshots import snapshot_epochs
from containers.salt.transforms import PADDED
from workflow.scripts.salt.packed import Array, Packed

Kind = Literal["classifier", "segmentation"]
# Settings that no weight depends on. What `images` chooses is in the key by its ids.
IRRELEVANT = ("loaders", "checkpoint_minutes", "snapshots", "only_folds", "images")
KIT = ("amp", "batches", "checkpoint", "distributed", "loop", "rng", "schedule", "task", "weights")
NETWORKS = ("classifier", "encoder_decoder", "encoders", "networks", "unet")
SALT = (*NETWORKS, "infer", "losses", "snapshots", "transforms", "tta")
HERE = ("classify", "images", "job", "learn", "segment")
CODE = (
    *(f"containers.kit.{name}" for name in KIT),
    *(f"containers.salt.{name}" for name in SALT),
    *(f"workflow.scripts.salt.{name}" for name in HERE),
)


@dataclass(frozen=True)
class Finished:
    rows: list[dict[str, Any]]  # of metrics.csv
    notes: list[str]


@dataclass(frozen=True)
class Job:
    """Errors of what does not fit together are raised here, before anything is learned."""

    kind: Kind
    settings: Learning
    inputs: Inputs
    packed: Packed
    fold: int
    chosen: Array  # (n,) which images may be learned from, if they are of other folds
    seed: int
    scratch: Path

    def __post_init__(self) -> None:
        if self.inputs.depth and not self.packed.known:
            raise UserError(f"inputs.depth is on, and no image of {self.packed.folder} has a depth; set it to false")
        if not len(self.judged):
            raise UserError(f"{self.packed.folder} has no image of fold {self.fold}; run the rule that packs them")
        if not len(self.learned):
            raise UserError(
                f"the classifier keeps no image that {self.name} could learn from; set segmentation.images to all"
            )

    @property
    def name(self) -> str:
        return f"{self.kind} fold {self.fold}"

    @cached_property
    def judged(self) -> Array:
        return self.packed.judged(self.fold)

    @cached_property
    def learned(self) -> Array:
        there: Array = (self.chosen & (self.packed.folds != self.fold)).nonzero()[0]
        return there

    @cached_property
    def own_seed(self) -> int:
        return seed_of(self.kind, self.seed, self.fold)

    @cached_property
    def group(self) -> distributed.Group:
        return distributed.alone()

    @property
    def amp(self) -> Amp:
        """`auto` on a CPU is bf16 where that is fast."""
        auto = self.settings.amp == "auto" and self.group.device.type == "cpu" and cpus.fast_halves()
        return "bf16" if auto else self.settings.amp

    @cached_property
    def plan(self) -> Plan:
        told = self.settings
        return Plan(
            told.epochs, patience=0, batch=told.batch, lr=told.lr, weight_decay=told.weight_decay, warmup=0.0,
            amp=self.amp, loaders=told.loaders, checkpoint_minutes=told.checkpoint_minutes, seed=self.own_seed,
            optimizer=told.optimizer, cycle=told.cycle, floor=told.floor, section=self.kind,
        )  # fmt: skip

    @cached_property
    def key(self) -> str:
        told = {name: value for name, value in asdict(self.settings).items() if name not in IRRELEVANT}
        told["weights"] = mark(self.settings.weights, f"{self.kind}.weights")
        images = [self.packed.ids[place] for place in (*self.learned, *self.judged)]
        data = [self.packed.fingerprint, len(self.learned), images]
        return hash_of([self.kind, told, asdict(self.inputs), data, self.own_seed, code(CODE, self.settings.model)])

    @property
    def folder(self) -> Path:
        return self.scratch / self.key

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint.pt"

    @property
    def board(self) -> Path:
        return self.scratch.parent / "tensorboard" / f"{self.kind}_fold_{self.fold}-{self.key}"

    def snapshot(self, epoch: int) -> Path:
        return self.folder / f"epoch_{epoch}.safetensors"

    @property
    def wanted(self) -> tuple[int, ...]:
        """The epochs whose snapshots are asked together."""
        return snapshot_epochs(self.settings.epochs, self.settings.cycle, self.settings.snapshots)

    def finished(self) -> Finished | None:
        """The training, where it is finished and its snapshots are whole."""
        path = self.folder / "history.json"
        content = read_json(path) if path.is_file() else {}
        files = content.get("snapshots", {})
        whole = all(
            self.snapshot(epoch).is_file() and sha256(self.snapshot(epoch)) == files.get(str(epoch))
            for epoch in self.wanted
        )
        return Finished(content["rows"], content["notes"]) if files and whole else None

    def finish(self, done: Finished) -> None:
        """Write down that it is finished; the snapshots lie there."""
        every = snapshot_epochs(self.settings.epochs, self.settings.cycle)
        gone = [self.snapshot(epoch) for epoch in every if not self.snapshot(epoch).is_file()]
        if gone:
            self.checkpoint.unlink(missing_ok=True)
            raise UserError(f"{gone[0]} was deleted while {self.name} was trained; run it again to train it anew")
        files = {str(epoch): sha256(self.snapshot(epoch)) for epoch in every}
        write_json(self.folder / "history.json", {**asdict(done), "snapshots": files})
        self.checkpoint.unlink(missing_ok=True)

    def network(self) -> nn.Module:
        """A new network on the CPU, that takes and gives what it should."""
        told, key = self.settings, f"{self.kind}.model"
        make = networks.segmenter if self.kind == "segmentation" else networks.classifier
        network = make(told.model, told.model_args, self.inputs.channels, key)
        expected = (2, 1, PADDED, PADDED) if self.kind == "segmentation" else (2,)
        training = network.training
        try:
            with torch.no_grad():
                given = network.eval()(torch.zeros(2, self.inputs.channels, PADDED, PADDED))
        except Exception as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise UserError(f"{key} {told.model} does not work on images of {PADDED} x {PADDED}: {reason}") from error
        if not isinstance(given, torch.Tensor) or tuple(given.shape) != expected:
            said = tuple(given.shape) if isinstance(given, torch.Tensor) else type(given).__name__
            raise UserError(f"{key} {told.model} gives {said} for two images, where {expected} is needed; change it")
        return network.train(training)
