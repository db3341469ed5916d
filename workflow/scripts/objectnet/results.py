"""Top-1 and top-5 as the organisers count them, and their results as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from containers.objectnet.grammar import GUESSES, Reading, Row
from containers.objectnet.mapping import OVERLAP


@dataclass(frozen=True)
class Score:
    top1: int
    top5: int
    scored: int  # images with a row
    total: int  # images with an answer: one without a row counts as wrong

    def share(self, measure: str) -> float | None:
        return getattr(self, measure) / self.total if self.total else None


def score(rows: Mapping[str, Row], answers: Mapping[str, int]) -> Score:
    there = [(rows[name].guesses, truth) for name, truth in answers.items() if name in rows]
    top1 = sum(guesses[:1] == (truth,) for guesses, truth in there)
    return Score(top1, sum(truth in guesses[:GUESSES] for guesses, truth in there), len(there), len(answers))


def overlap(answers: Mapping[str, int]) -> dict[str, int]:
    """The answers that a network with ImageNet's classes can give."""
    return {name: number for name, number in answers.items() if number in OVERLAP}


def results(reading: Reading, answers: Mapping[str, int]) -> dict[str, Any]:
    """In the organisers' words. What an invalid file scores is not told, since they do not score it."""
    valid = not reading.errors
    found = score(reading.rows, answers) if valid else Score(0, 0, 0, len(answers))
    percent = {name: None if share is None or not valid else 100 * share for name, share in _shares(found).items()}
    return {
        "prediction_file_status": "VALIDATED" if valid else "INVALID",
        "prediction_file_errors": [problem.said for problem in reading.errors],
        **percent,
        "images_scored": found.scored,
        "total_images": found.total,
    }


def _shares(found: Score) -> dict[str, float | None]:
    return {"accuracy": found.share("top1"), "top5_accuracy": found.share("top5")}
