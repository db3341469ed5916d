"""A trained model: the artifact of this workflow, or a results folder as nnU-Net itself leaves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from containers.amos import plan as plans
from containers.amos.network import checkpoint
from containers.amos.plan import Plan
from containers.kit.errors import UserError
from containers.kit.files import read_json, sha256

DESCRIPTION = "model.json"
CHECKPOINTS = ("checkpoint_final.pth", "checkpoint_best.pth")


@dataclass(frozen=True)
class Fold:
    fold: int
    path: Path


@dataclass(frozen=True)
class Model:
    """No weights are in memory: `containers.amos.network.fill` reads those of one fold."""

    plan: Plan
    folds: tuple[Fold, ...]
    mirror_axes: tuple[int, ...]  # of the transposed image
    min_volume: Mapping[int, float]  # mm³; smaller components of a label are mistakes
    task: int  # 0: not known


def load(folder: Path, folds: Sequence[int] | None = None) -> Model:
    """`folds` chooses some; None takes all that are there."""
    if (folder / DESCRIPTION).is_file():
        return _ours(folder, folds)
    if (folder / "plans.json").is_file():
        return _nnunets(folder, folds)
    raise UserError(f"{folder} is no model: it has neither {DESCRIPTION} nor nnU-Net's plans.json")


def _ours(folder: Path, chosen: Sequence[int] | None) -> Model:
    path = folder / DESCRIPTION
    found = read_json(path)
    if not isinstance(found, dict) or found.get("challenge") != "amos" or found.get("schema") != 1:
        raise UserError(f"{path} does not describe a model of AMOS; train again")
    try:
        plan = _plan(folder, found["configuration"])
        entries = {int(entry["fold"]): entry for entry in found["folds"]}
        model = Model(
            plan=plan,
            folds=tuple(Fold(fold, _verified(folder, entries[fold])) for fold in _chosen(folder, entries, chosen)),
            mirror_axes=tuple(found["mirror_axes"] or ()),
            min_volume={int(label): float(volume) for label, volume in found["min_volume_mm3"].items()},
            task=int(found["task"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is damaged ({type(error).__name__}: {error}); train again") from None
    return model


def _verified(folder: Path, entry: Mapping[str, Any]) -> Path:
    path = folder / Path(entry["file"]).name
    if not path.is_file():
        raise UserError(f"{path}, which {DESCRIPTION} names, is not there; train again")
    if sha256(path) != entry["sha256"]:
        raise UserError(f"{path} is not the file that {DESCRIPTION} names (its SHA-256 differs); train again")
    return path


def _nnunets(folder: Path, chosen: Sequence[int] | None) -> Model:
    found: dict[int, Path] = {}
    for sub in folder.glob("fold_*"):
        paths = [sub / name for name in CHECKPOINTS if (sub / name).is_file()]
        if paths and sub.name.removeprefix("fold_").isdigit():
            found[int(sub.name.removeprefix("fold_"))] = paths[0]
    folds = tuple(Fold(fold, found[fold]) for fold in _chosen(folder, found, chosen))
    first = checkpoint(folds[0].path)
    try:
        configuration = first["init_args"]["configuration"]
    except (KeyError, TypeError):
        raise UserError(f"{folds[0].path} does not say which configuration it is of; train again") from None
    axes = first.get("inference_allowed_mirroring_axes")
    return Model(_plan(folder, configuration), folds, tuple(axes or ()), {}, 0)


def _chosen(folder: Path, there: Mapping[int, object], chosen: Sequence[int] | None) -> list[int]:
    folds = sorted(there) if chosen is None else list(chosen)
    if not folds:
        raise UserError(f"{folder} has the weights of no fold; let the training finish")
    missing = [fold for fold in folds if fold not in there]
    if missing:
        raise UserError(f"{folder} has no weights of fold {missing[0]}; there are {', '.join(map(str, sorted(there)))}")
    return folds


def _plan(folder: Path, configuration: str) -> Plan:
    return plans.read(read_json(folder / "plans.json"), read_json(folder / "dataset.json"), configuration, str(folder))
