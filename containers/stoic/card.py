"""The model card: what was trained, on what, by which code, and how good it is."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from containers.kit.versions import installed
from containers.stoic.folds import STRATA, stratum
from containers.stoic.job import Job
from containers.stoic.metric import table

ROW = ("epoch", "train_loss", "val_loss", "auc_severe", "auc_covid", "lr")  # no seconds: equal trainings, equal cards
PACKAGES = ("torch", "monai", "numpy", "SimpleITK", "safetensors")


def make(job: Job, folds: Mapping[int, Mapping[str, Any]], evaluation: Mapping[str, Any] | None) -> dict[str, Any]:
    """The card as JSON; `folds` holds the best epoch of each, and `evaluation` is there once all are finished."""
    counts = Counter(stratum(case) for case in job.cases)
    return {
        "schema": 1,
        "challenge": "stoic",
        "revision": job.revision,
        "data": {
            "fingerprint": job.data,
            "cases": len(job.cases),
            "holdout": len(job.split.holdout),
            **{name: counts[name] for name in STRATA},
        },
        "config": {"preprocess": asdict(job.settings.preprocess), "train": asdict(job.settings.train)},
        "folds": [_row(fold, row) for fold, row in sorted(folds.items())],
        "history": [_row(fold, row) for fold in sorted(folds) for row in job.fold(fold).history()[0]],
        "metrics": evaluation,
        "notes": list(job.split.notes),
        "versions": {"python": platform.python_version(), **installed(PACKAGES)},
    }


def _row(fold: int, row: Mapping[str, Any]) -> dict[str, Any]:
    return {"fold": fold, **{name: row[name] for name in ROW}}


def text(card: Mapping[str, Any]) -> str:
    """The card for people, in Markdown."""
    data, train, preprocess = card["data"], card["config"]["train"], card["config"]["preprocess"]
    lines = [
        "# STOIC2021: COVID-19 and its severity from chest CT",
        "",
        f"- Model: {train['model']}, {len(card['folds'])} of {train['folds']} folds, their probabilities averaged",
        f"- Input: {' x '.join(map(str, preprocess['size']))} voxels of {preprocess['spacing']} mm, "
        f"HU {preprocess['window'][0]:g} to {preprocess['window'][1]:g}"
        + (", age and sex" if train["demographics"] else ""),
        f"- Data: {data['cases']} cases ({data['negative']} negative, {data['mild']} positive, {data['severe']} severe)"
        f", fingerprint {data['fingerprint']}",
        f"- Code: revision {card['revision']}; "
        + ", ".join(f"{name} {value}" for name, value in card["versions"].items()),
        "- Not for clinical use.",
        "",
    ]
    for name, title in (
        ("holdout", "On cases that no training saw"),
        ("out_of_fold", "Each case by the fold that did not see it"),
    ):
        if card["metrics"] and card["metrics"][name]:
            lines += [f"## {title}", "", "```", table(card["metrics"][name]), "```", ""]
    if not card["metrics"]:
        lines += ["The training is not finished: these are the best weights so far.", ""]
    lines += ["## Folds", "", "| fold | epoch | AUC severe | AUC COVID-19 | loss |", "|---|---|---|---|---|"]
    for row in card["folds"]:
        cells = [row["fold"], row["epoch"], row["auc_severe"], row["auc_covid"], row["val_loss"]]
        lines.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
    lines += ["", *[f"- Note: {note}" for note in card["notes"]]]
    return "\n".join(lines).rstrip() + "\n"


def _cell(value: Any) -> str:
    return "-" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
