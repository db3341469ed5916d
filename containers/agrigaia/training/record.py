"""What a training leaves beside its model for people and reports: its epochs, its scores, and what it answered."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from saving import replacing

HISTORY, SCORES, ANSWERS = "history.csv", "scores.json", "answers.json"
COLUMNS = ("epoch", "train_loss", "val_loss", "score", "lr", "seconds")

Row = Mapping[str, float | None]


def forget(folder: Path) -> None:
    """What another training left would be taken for this one's."""
    for name in (HISTORY, SCORES, ANSWERS):
        (folder / name).unlink(missing_ok=True)


def write_history(folder: Path, rows: Sequence[Row]) -> None:
    """A line an epoch; what was not measured is left empty."""

    def write(part: Path) -> None:
        with part.open("w", encoding="utf-8", newline="") as stream:
            lines = csv.writer(stream, lineterminator="\n")
            lines.writerow(COLUMNS)
            lines.writerows([_word(row[name]) for name in COLUMNS] for row in rows)

    replacing(folder / HISTORY, write)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    replacing(path, lambda part: _write(part, text))


def finite(value: float) -> float | None:
    """JSON has no other numbers."""
    return float(value) if math.isfinite(value) else None


def _write(part: Path, text: str) -> None:
    part.write_text(text, encoding="utf-8")


def _word(value: float | None) -> str:
    return "" if value is None else f"{value:.7g}"
