"""Train one network of a fold to its end, judge the fold by its snapshots together, and write both down.

What classify and segment share; killed and started again it goes on to the very same snapshots.
"""

from __future__ import annotations

import argparse
import shutil
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from containers.kit import cpus, rng
from containers.kit.distributed import Group
from containers.kit.errors import UserError
from containers.kit.files import read_json, replacing_tree, sha256, write_json
from containers.kit.logs import Board, write_table
from containers.kit.loop import fit
from containers.kit.settings import parse
from containers.kit.task import Row, Weights
from containers.kit.versions import installed
from containers.kit.weights import read, save
from containers.salt import networks
from containers.salt.infer import predict
from containers.salt.settings import Inputs, Learning, Tta
from containers.salt.snapshots import snapshot_epochs
from containers.salt.transforms import augment, network_input
from workflow.scripts.salt.images import Images
from workflow.scripts.salt.job import Finished, Job, Kind
from workflow.scripts.salt.packed import Array, Packed

RECORD, JUDGED = "fold.json", "judged.npz"
PACKAGES = ("torch", "monai", "numpy", "safetensors")
LARGEST = float(np.finfo(np.float16).max)
L = TypeVar("L", bound=Learning)


class Network(ABC):
    """The part of the training loop that both kinds of networks share."""

    columns: tuple[str, ...]  # of metrics.csv, beside those that every training has

    def __init__(self, job: Job) -> None:
        self.job, self.name, self.notes = job, job.name, list[str]()
        rng.seed_all(job.own_seed)
        self.model = job.network()
        if job.settings.weights:
            key = f"{job.kind}.weights"
            self.notes.append(networks.load_pretrained(self.model, Path(job.settings.weights), key))
        self.data = Images(job.packed, job.learned, job.own_seed)
        self.cases = len(self.data)
        self.board: Board | None = None
        self.every = snapshot_epochs(job.settings.epochs, job.settings.cycle)

    def weights(self, batch: dict[str, Tensor]) -> Tensor:
        return torch.tensor([float(len(batch["image"]))])

    def changed(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """What the network is given, and the masks (n, 1, 101, 101) that go with it."""
        told = self.job.settings.augment
        with torch.no_grad(), torch.autocast(batch["image"].device.type, enabled=False):
            images, masks = augment(batch["image"].float(), batch["mask"].float(), batch["seed"].cpu(), told)
            given = network_input(images, batch["depth"], self.job.inputs)
        return given.contiguous(memory_format=torch.channels_last), masks

    @abstractmethod
    def losses(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        """Their sum over a batch, of the one term that there is."""

    @abstractmethod
    def validate(self, model: nn.Module, group: Group) -> tuple[tuple[float, ...], Row]:
        """By the fold's images, as they are and not mirrored."""

    def improved(self, weights: Weights, row: Row) -> None:  # noqa: B027
        """Nothing: what is kept of a training are the ends of its cycles."""

    def ended(self, epoch: int, model: nn.Module) -> None:
        if epoch in self.every:
            save(self.job.snapshot(epoch), model.state_dict())

    def wrote(self, history: list[Row]) -> None:
        names = ("epoch", "train_loss", "val_loss", *self.columns, "lr", "seconds")
        write_table(self.job.scratch / "metrics.csv", names, history)
        last = history[-1]
        if self.board is None:
            self.board = Board(self.job.board, last["epoch"])
        self.board.add(last["epoch"], last)
        shown = "  ".join(f"{name} {last[name]:.4g}" for name in names[1:] if last.get(name) is not None)
        print(f"{self.name}  epoch {last['epoch']}/{self.job.settings.epochs}  {shown}", flush=True)


def ask(job: Job, models: Sequence[nn.Module], tta: Tta) -> Array:
    """The mean of networks' logits of the images of the fold."""
    some, device = job.judged, job.group.device
    depths = job.packed.depths[some] if job.inputs.depth else None
    return predict(models, job.packed.images[some], depths, job.inputs, tta, job.settings.batch, device)


def train(job: Job, kind: type[Network]) -> Finished:
    """Train what is not finished."""
    before = job.finished()
    if before is not None:
        print(f"{job.name} was finished before; its snapshots are in {job.folder}", flush=True)
        return before
    task = kind(job)
    parameters = sum(parameter.numel() for parameter in task.model.parameters())
    print(
        f"{job.name}: {job.settings.model}, {parameters:,} parameters, learns from {len(job.learned):,} images and is "
        f"judged by {len(job.judged):,}; its checkpoint is {job.checkpoint}",
        flush=True,
    )
    for note in task.notes:
        print(f"note: {note}", flush=True)
    try:
        job.folder.mkdir(parents=True, exist_ok=True)
        done = Finished(fit(task, job.plan, job.group, job.checkpoint, job.key, task.ended).history, task.notes)
        job.finish(done)
    except OSError as error:
        raise UserError(f"{job.scratch} cannot be written ({error.strerror}); make room there, and go on") from None
    finally:
        if task.board is not None:
            task.board.close()
    return done


def run(job: Job, kind: type[Network], output: Path) -> dict[str, Any]:
    """Train, judge, and replace the folder `output`; return what its fold.json says."""
    done = train(job, kind)
    models = [_loaded(job, epoch) for epoch in job.wanted]
    logits = ask(job, models, "hflip")
    if logits.ndim > 1:
        logits = np.clip(logits, -LARGEST, LARGEST).astype(np.float16)
    record = {
        "schema": 1,
        "kind": job.kind,
        "fold": job.fold,
        "model": job.settings.model,
        "model_args": job.settings.model_args,
        "inputs": asdict(job.inputs),
        "history": done.rows,
        "train": asdict(job.settings) | {"weights": Path(job.settings.weights).name},
        "seed": job.seed,
        "data": job.packed.fingerprint,
        "trained": len(job.learned),
        "judged": len(job.judged),
        "notes": done.notes + _lacking(job),
        "versions": installed(PACKAGES),
    }
    try:
        with replacing_tree(output) as folder:
            snapshots = []
            for epoch in job.wanted:
                place = folder / job.snapshot(epoch).name
                shutil.copyfile(job.snapshot(epoch), place)
                snapshots.append({"epoch": epoch, "file": place.name, "sha256": sha256(place)})
            np.savez(folder / JUDGED, index=job.judged, logits=logits)
            write_json(folder / RECORD, {**record, "snapshots": snapshots})
    except OSError as error:
        raise UserError(f"{output} cannot be written ({error.strerror}); make room there") from None
    return record


def _loaded(job: Job, epoch: int) -> nn.Module:
    network = job.network()
    network.load_state_dict(read(job.snapshot(epoch), "the snapshot"))
    network.to(job.group.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.eval()


def _lacking(job: Job) -> list[str]:
    """What is odd about the data."""
    salt = job.packed.salt
    notes = [
        f"all images {what} {'have' if salt[places].all() else 'are without'} salt"
        for what, places in (("learned from", job.learned), ("judged", job.judged))
        if len(set(salt[places])) == 1
    ]
    bare = len(job.packed.ids) - job.packed.known
    if job.inputs.depth and bare:
        notes.append(f"{bare:,} of {len(job.packed.ids):,} images have no depth, and count as of the mean")
    return notes


def arguments(description: str | None, section: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packed", type=Path, required=True, help="folder that pack wrote")
    parser.add_argument("--fold", type=int, required=True, help="the fold that it is judged by, from 0")
    parser.add_argument("--settings", default="{}", help=f"the section salt.{section} as JSON, or @file")
    parser.add_argument("--inputs", default="{}", help="the section salt.inputs as JSON, or @file")
    parser.add_argument("--seed", type=int, default=2018, help="as in the section salt.train")
    parser.add_argument("--threads", type=int, default=0, help="threads on a CPU; 0 means one a CPU")
    parser.add_argument("--weights", type=Path, help="what weights wrote, in place of the settings' own file")
    parser.add_argument("--scratch", type=Path, required=True, help="folder for checkpoints; keep it to resume")
    parser.add_argument("--output", type=Path, required=True, help="folder to replace with snapshots and predictions")
    return parser


def prepared(args: argparse.Namespace, kind: Kind, settings: type[L], images: Packed, chosen: Array) -> Job:
    """The job of a command line; `chosen` are the images that may be learned from."""
    there = cpus.available()  # --cores may be more: threads without a CPU of their own slow the others down
    torch.set_num_threads(min(args.threads or there, there))
    inputs = replace(parse(Inputs, args.inputs, "inputs"), depth_mean=images.mean, depth_std=images.std)
    told = parse(settings, args.settings, kind)
    if args.weights:
        told = replace(told, weights=_pretrained(args.weights))
    return Job(kind, told, inputs, images, args.fold, chosen, args.seed, args.scratch)


def _pretrained(record: Path) -> str:
    """The file that is written down there."""
    said = read_json(record)
    path = Path(said["file"])
    if not path.is_file() or sha256(path) != said["sha256"]:
        raise UserError(f"{path} is not the file that {record} tells of; run the rule that finds the weights again")
    return str(path)
