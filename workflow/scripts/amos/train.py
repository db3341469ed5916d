"""Train one fold with nnU-Net, and keep its weights; killed and started again it goes on after its last checkpoint.

    python -m workflow.scripts.amos.train --plan-folder scratch/amos/plan --configuration 3d_fullres --fold 0 \\
        --preprocessed scratch/amos/preprocessed.json --train '{"epochs": 1000}' --scratch scratch/amos \\
        --output scratch/amos/trained/fold_0

The weights are those of the last epoch, as nnU-Net uses them by default. Checkpoints lie below --scratch in nnU-Net's
own layout, in a folder named by all that the training depends on; of --train, workers and checkpoint_every may change.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from containers.amos.settings import Train
from containers.kit import cpus
from containers.kit.checkpoint import remove_leftovers
from containers.kit.errors import UserError, reports_errors
from containers.kit.files import hash_of, read_json, replacing, replacing_tree, sha256, write_json
from containers.kit.parent import die_with_parent
from containers.kit.settings import parse
from workflow.scripts.amos import nnunet, plan

RECORD = "fold.json"
DECISIVE = ("epochs", "iterations", "val_iterations", "lr", "optimizer", "augment", "amp", "mirror", "seed")
FEW_CPUS = 2  # with no more, a process that augments only takes time from the one that trains
MOST_AUGMENTERS = 12


def augmenters(train: Train, threads: int) -> int:
    return train.workers or (0 if threads <= FEW_CPUS else min(MOST_AUGMENTERS, threads))


def train_fold(folder: Path, record: Mapping[str, Any], cases: Path, train: Train, fold: int, log: Path) -> Any:
    """Train to the end, and give the trainer's last checkpoint."""
    from workflow.scripts.amos.trainer import FINAL, LATEST, SlipwayTrainer

    plans, dataset = (read_json(folder / name) for name in ("plans.json", "dataset.json"))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with nnunet.chatter_to(log):
        trainer = SlipwayTrainer(plans | {"continue_training": True}, record["configuration"], fold, dataset, device)
    trainer.tell(train, folder.absolute(), cases)
    for name in (FINAL, LATEST):
        remove_leftovers(trainer.folder / name)
    final = _load(trainer.folder / FINAL)
    if final is not None:
        print(f"fold {fold} is trained already: {trainer.folder / FINAL}", flush=True)
        return final
    print(f"fold {fold}: {train.epochs} epochs on {device}; checkpoints in {trainer.folder}", flush=True)
    torch.backends.cudnn.benchmark = device.type == "cuda"
    with nnunet.chatter_to(log), _stops_when_asked(trainer), _explained(fold):
        trainer.initialize()
        latest = _load(trainer.folder / LATEST)
        if latest is not None:
            trainer.go_on_from(latest)
            print(f"fold {fold}: {trainer.current_epoch} epochs are done already", file=trainer.console, flush=True)
        trainer.run_training()
    return _load(trainer.folder / FINAL)


def export(state: Mapping[str, Any], record: Mapping[str, Any], train: Train, fold: int, output: Path) -> None:
    """The weights and what is to be known about them; nothing that only the training needs."""
    from workflow.scripts.amos.trainer import history

    with replacing_tree(output) as folder:
        path = folder / f"fold_{fold}.safetensors"
        with replacing(path) as partial:
            save_file(slim(state["network_weights"]), partial)
        axes = state["inference_allowed_mirroring_axes"]
        content = {
            "schema": 1,
            "fold": fold,
            "file": path.name,
            "sha256": sha256(path),
            "plan": record["key"],
            "checkpoint": "final",
            "epochs": state["current_epoch"],
            "mirror_axes": None if axes is None else list(axes),
            "history": history(state["logging"]),
            "train": {name: getattr(train, name) for name in (*DECISIVE, "folds", "network", "network_args")},
            "versions": nnunet.versions(),
        }
        write_json(folder / RECORD, content)


def slim(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """In single precision, each tensor once: nnU-Net's networks hold many under several names."""
    seen: set[int] = set()
    kept = {}
    for name, value in weights.items():
        if value.numel() and value.data_ptr() in seen:
            continue
        seen.add(value.data_ptr())
        kept[name] = value.detach().cpu().float().contiguous().clone()
    return kept


def _load(path: Path) -> dict[str, Any] | None:
    """A checkpoint; one that cannot be read is moved aside and counts as none."""
    if not path.is_file():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises a kind for each way in which a file can be wrong
        aside = path.with_name(f"{path.name}.aside")
        path.replace(aside)
        nnunet.note(f"{path} cannot be read ({str(error).splitlines()[0]}); it is now {aside.name}")
        return None
    return state


@contextmanager
def _stops_when_asked(trainer: Any) -> Iterator[None]:
    """At SIGTERM the epoch is finished, so that nothing of it is lost; a second one ends at once."""

    def asked(*_: object) -> None:
        trainer.stop = True
        signal.signal(signal.SIGTERM, before)
        print("asked to stop: this epoch is finished first", file=sys.stderr, flush=True)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, asked)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _explained(fold: int) -> Iterator[None]:
    try:
        yield
    except torch.cuda.OutOfMemoryError:
        raise UserError(
            f"fold {fold}: the GPU's memory ended; lower plan.gpu_memory, plan.batch or plan.patch"
        ) from None
    except RuntimeError as error:
        if "background workers" not in str(error):
            raise
        raise UserError(
            f"fold {fold}: a process that augments was killed, most likely for want of memory; lower train.workers"
        ) from None


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plan-folder", type=Path, required=True, help="what plan wrote")
    parser.add_argument("--preprocessed", type=Path, required=True, help="what preprocess wrote")
    parser.add_argument("--configuration", required=True, help="3d_fullres or 3d_lowres, as it was planned")
    parser.add_argument("--fold", type=int, required=True, help="which fold, counted from 0")
    parser.add_argument("--train", default="{}", help="the section amos.train as JSON, or @file")
    parser.add_argument("--scratch", type=Path, required=True, help="folder for checkpoints; keep it to resume")
    parser.add_argument("--output", type=Path, required=True, help="folder to replace with the weights and fold.json")
    parser.add_argument("--threads", type=int, default=0, help="CPUs to use; 0 means all that may be used")
    args = parser.parse_args(argv)
    train, record, cases = parse(Train, args.train, "train"), plan.read(args.plan_folder), read_json(args.preprocessed)
    there = len(read_json(args.plan_folder / plan.SPLITS))
    if not 0 <= args.fold < there:
        raise UserError(f"--fold {args.fold} is not there; {args.plan_folder} has {there}, counted from 0")
    if record["configuration"] != args.configuration:
        raise UserError(
            f"--configuration {args.configuration} was not planned; {args.plan_folder} is of {record['configuration']}"
        )
    missing = sorted(set(record["modalities"]) - set(cases["cases"]))
    if missing:
        raise UserError(f"{args.preprocessed} lacks {missing[0]} of {args.plan_folder}; preprocess again")
    cpus.limit_threads(threads := min(args.threads or cpus.available(), cpus.available()))
    decisive = {name: getattr(train, name) for name in DECISIVE}
    key = hash_of([1, record["key"], cases["fingerprint"], decisive, nnunet.versions()["nnunetv2"]])
    place = nnunet.workspace(args.scratch / "training" / key, augmenters=augmenters(train, threads))
    log = place / f"fold_{args.fold}.txt"
    state = train_fold(args.plan_folder, record, Path(cases["folder"]), train, args.fold, log)
    export(state, record, train, args.fold, args.output)
    print(f"{args.output}: the weights of epoch {state['current_epoch']}", flush=True)
    return 0


if __name__ == "__main__":
    os.register_at_fork(after_in_child=die_with_parent)  # augmenters of a killed training would never end
    raise SystemExit(main())
