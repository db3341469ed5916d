"""Keep the artifact folder up to date: the best weights so far of every fold, and what describes them.

The organisers ask for it continuously, so that a training which they stop still leaves something to predict with.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import asdict
from typing import Any

from containers.kit.files import read_json, replacing, sha256, write_json, write_text
from containers.stoic import card
from containers.stoic.artifact import CARD, CARD_TEXT, MODEL, WEIGHTS, Fold, recipe
from containers.stoic.job import Job

LEFTOVER = re.compile(r"\.(fold\d+|model|card)\..*")  # what a killed run left while it wrote


def publish(job: Job) -> None:
    """Write the artifact of what is in scratch: weights first, then the files that name them."""
    rows: dict[int, dict[str, Any]] = {}
    folds = []
    for number in job.folds:
        best = job.fold(number).best()
        if best is None:
            continue
        file = f"fold{number}.safetensors"
        target = job.artifact / file
        if not target.is_file() or sha256(target) != best["sha256"]:
            with replacing(target) as partial:
                shutil.copyfile(job.fold(number).weights, partial)
        folds.append(Fold(number, file, best["sha256"]))
        rows[number] = best["row"]
    if not folds:
        return
    write_json(job.artifact / MODEL, asdict(recipe(job.settings, folds)))
    evaluation = job.folder / "evaluation.json"
    content = card.make(job, rows, read_json(evaluation) if evaluation.is_file() else None)
    write_json(job.artifact / CARD, content)
    write_text(job.artifact / CARD_TEXT, card.text(content))


def tidy(job: Job) -> None:
    """Remove the artifact of another training, and what a killed run left; other files are not ours to remove."""
    keep = {f"fold{number}.safetensors" for number in job.folds if job.fold(number).best() is not None}
    job.artifact.mkdir(parents=True, exist_ok=True)
    for path in job.artifact.iterdir():
        ours = WEIGHTS.fullmatch(path.name) or path.name in (MODEL, CARD, CARD_TEXT)
        if LEFTOVER.fullmatch(path.name) or (ours and path.name not in keep):
            path.unlink()
