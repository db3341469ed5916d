"""What a training left beside its model: its scores, its epochs, and what it answered; none of them has to be there.

An architecture of the user's own may leave other things, or nothing.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError
from containers.kit.files import read_json

HISTORY, SCORES, ANSWERS = "history.csv", "scores.json", "answers.json"
MEASURES = {"classification": "accuracy", "detection": "map"}  # what `score` is, by the task
LEFT_OUT = ("seconds",)  # of the card: equal trainings, equal cards

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Trained:
    folder: Path
    scores: Json | None
    answers: Json | None
    history: list[dict[str, float | None]]  # a row an epoch, with the score by its own name

    @property
    def notes(self) -> list[str]:
        """What is missing for a report."""
        there = {SCORES: self.scores is not None, HISTORY: bool(self.history)}
        missing = [name for name, known in there.items() if not known]
        told = " and ".join(missing)
        return [f"The training left no {told}, so that less of it is shown here."] if missing else []


def read(folder: Path) -> Trained:
    if not folder.is_dir():
        raise UserError(f"{folder} is not there; run the rule that makes it")
    scores = _object(folder / SCORES)
    task = scores.get("task") if scores else None
    if scores is not None and (
        task not in MEASURES
        or not isinstance(scores.get("score"), int | float)
        or not isinstance(scores.get("judged"), int)
    ):
        known = ", ".join(MEASURES)
        raise UserError(f"{folder / SCORES} has no task of {known} with judged and score; write none, or mend it")
    history = _history(folder / HISTORY, MEASURES.get(str(task), "score"))
    return Trained(folder, scores, _object(folder / ANSWERS), history)


def _object(path: Path) -> Json | None:
    if not path.is_file():
        return None
    content = read_json(path)
    if not isinstance(content, dict):
        raise UserError(f"{path} holds no object; train.py must write one, or no such file")
    return content


def _history(path: Path, measure: str) -> list[dict[str, float | None]]:
    if not path.is_file():
        return []
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream, strict=True))
        found = [{name: _number(word) for name, word in row.items() if name not in LEFT_OUT} for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error, ValueError, TypeError) as error:
        raise UserError(f"{path} is no table of numbers ({error}); train.py must write one, or none") from None
    if found and "epoch" not in found[0]:
        raise UserError(f"{path} has no column 'epoch'; train.py must write one, or no such file")
    return [{measure if name == "score" else name: value for name, value in row.items()} for row in found]


def _number(word: str) -> float | None:
    """JSON has no infinite ones."""
    value = float(word) if word else math.nan
    return (int(value) if value.is_integer() else value) if math.isfinite(value) else None
