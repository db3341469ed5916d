"""How good the trained folds are: each on the cases that it did not learn from, and together on the holdout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from containers.kit.batches import to_device
from containers.kit.distributed import Group, alone
from containers.kit.files import write_json
from containers.kit.logs import write_table
from containers.kit.progress import bar
from containers.stoic import metric, models
from containers.stoic.artifact import load_weights
from containers.stoic.data import Case
from containers.stoic.dataset import Cases
from containers.stoic.infer import probabilities
from containers.stoic.job import Job
from containers.stoic.train_fold import validation_loader

COLUMNS = ("PatientID", "probCOVID", "probSevere", "fold")


def evaluate(job: Job) -> dict[str, Any]:
    """Predict, write the predictions to scratch, and measure them; also kept in scratch for the model card."""
    group, train = alone(), job.settings.train
    model = models.build(train.model, train.model_args, train.demographics).to(group.device)
    held, by_fold, holdout = [], [], []
    for fold in bar(job.folds, title="evaluate"):
        load_weights(model, job.fold(fold).weights)
        held += list(job.split.folds[fold])
        by_fold.append(predict(model, job.split.folds[fold], job, group))
        if job.split.holdout:
            holdout.append(predict(model, job.split.holdout, job, group))
    names = [fold for fold in job.folds for _ in job.split.folds[fold]]
    result: dict[str, Any] = {"out_of_fold": _measured(job, "out_of_fold", held, np.concatenate(by_fold), names)}
    result["holdout"] = None
    if holdout:
        kept = job.split.holdout
        result["holdout"] = _measured(job, "holdout", kept, np.mean(holdout, axis=0), ["all"] * len(kept))
    write_json(job.folder / "evaluation.json", result)
    return result


def predict(model: nn.Module, cases: Sequence[Case], job: Job, group: Group) -> metric.Array:
    """(cases, 2) probabilities."""
    model.eval()
    train, flip = job.settings.train, job.settings.predict.flip
    answers = []
    for batch in validation_loader(Cases(cases, seed=0), train.batch, train.loaders, group):
        there = to_device(batch, group.device)
        answers.append(probabilities(model, there["image"].float(), there["person"], flip).cpu())
    values: metric.Array = torch.cat(answers).numpy()
    return values


def _measured(job: Job, name: str, cases: Sequence[Case], values: metric.Array, folds: Sequence[Any]) -> Any:
    rows = [
        {"PatientID": case.id, "probCOVID": float(value[0]), "probSevere": float(value[1]), "fold": fold}
        for case, value, fold in zip(cases, values, folds, strict=True)
    ]
    write_table(job.logs / f"{name}.csv", COLUMNS, rows)
    labels = np.array([(case.covid, case.severe) for case in cases])
    return metric.evaluate(labels[:, 0], labels[:, 1], values)
