"""The model folder that the container predicts with: plans, weights, and what to clean."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from containers.amos import model, network
from containers.kit.errors import UserError
from containers.kit.files import read_json, replacing, write_json
from workflow.scripts.amos import nnunet, plan, train


def assemble(folder: Path, plan_folder: Path, trained: Sequence[Path], min_volume_mm3: Mapping[int, float]) -> None:
    """Fill a folder with a model of these folds."""
    record = plan.read(plan_folder)
    for name in nnunet.FILES:
        content = read_json(plan_folder / name)
        if name == "dataset.json":  # where the images lie on this machine is nobody's business
            content = {key: value for key, value in content.items() if key != "dataset"}
        write_json(folder / name, content)
    folds, axes = [], []
    for path in trained:
        fold = read_json(path / train.RECORD)
        if fold["plan"] != record["key"]:
            raise UserError(f"{path} was trained by another plan than {plan_folder}; train it again")
        with replacing(folder / fold["file"]) as partial:
            shutil.copyfile(path / fold["file"], partial)
        folds.append({name: fold[name] for name in ("fold", "file", "sha256")})
        axes.append(fold["mirror_axes"])
    if any(other != axes[0] for other in axes):
        raise UserError(f"{trained[0]} and the other folds differ in train.mirror; train them alike")
    description = {
        "schema": 1,
        "challenge": "amos",
        "task": record["task"],
        "configuration": record["configuration"],
        "mirror_axes": axes[0],
        "folds": sorted(folds, key=lambda fold: int(fold["fold"])),
        "min_volume_mm3": {str(organ): volume for organ, volume in min_volume_mm3.items()},
    }
    write_json(folder / model.DESCRIPTION, description)


def verify(folder: Path) -> model.Model:
    """Refuse a model that the container could not use, by the container's own code."""
    found = model.load(folder)  # compares each file with its SHA-256
    for fold in found.folds:
        network.fill(network.build(found.plan), fold.path)
        for name, value in network.tensors(fold.path):
            if value.dtype != torch.float32 or not torch.isfinite(value).all():
                raise UserError(f"{fold.path} has weights {name} that are not finite single-precision; train again")
    return found
