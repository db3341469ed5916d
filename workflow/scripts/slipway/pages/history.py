"""metrics.csv as series to draw: one a column and fold, with the mean of the folds where all of them have come."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from containers.kit.errors import UserError

Point = tuple[float, float]


@dataclass(frozen=True)
class Series:
    """One column over the epochs: a line for each fold that has values."""

    folds: tuple[tuple[Point, ...], ...]

    @property
    def mean(self) -> tuple[Point, ...]:
        """Folds that stopped early would make the mean jump where they end, so that it ends with the first of them."""
        if len(self.folds) < 2:
            return ()
        values = [dict(fold) for fold in self.folds]
        shared = sorted(set.intersection(*(set(fold) for fold in values)))
        return tuple((epoch, fmean(fold[epoch] for fold in values)) for epoch in shared)

    @property
    def points(self) -> list[Point]:
        return [point for fold in self.folds for point in fold]


def read(path: Path) -> dict[str, Series]:
    """Every numeric column but fold and epoch; a column may be absent, a cell empty or not finite."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} cannot be read as CSV ({error}); train again, or leave --metrics out") from None
    if rows and "epoch" not in rows[0]:
        raise UserError(f"{path} has no column 'epoch'; train again, or leave --metrics out")
    return _series(path, rows)


def of_card(path: Path, card: Mapping[str, Any]) -> dict[str, Series]:
    """The same from the history that a model card keeps."""
    rows = [{name: "" if value is None else str(value) for name, value in row.items()} for row in card["history"]]
    return _series(path, rows)


def _series(path: Path, rows: Sequence[Mapping[str, str]]) -> dict[str, Series]:
    columns = [name for name in (rows[0] if rows else ()) if name not in (None, "fold", "epoch")]
    found = {}
    for column in columns:
        folds: dict[str, list[Point]] = {}
        for number, row in enumerate(rows, 2):
            epoch, value = _number(path, number, row, "epoch"), _number(path, number, row, column)
            if epoch is not None and value is not None:
                folds.setdefault(row.get("fold") or "", []).append((epoch, value))
        if folds:
            found[column] = Series(tuple(tuple(sorted(points)) for points in folds.values()))
    return found


def _number(path: Path, line: int, row: Mapping[str, str], column: str) -> float | None:
    text = (row.get(column) or "").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise UserError(f"{path} has '{text}' as {column} in line {line}, where a number belongs") from None
    return value if math.isfinite(value) else None


def ticks(low: float, high: float, most: int) -> Sequence[float]:
    """Round numbers from `low` to `high`, at most `most` of them."""
    if high <= low:
        return (low,)
    power = 10 ** math.floor(math.log10((high - low) / most))
    step = next(power * factor for factor in (1, 2, 5, 10, 20) if (high - low) / (power * factor) <= most - 1)
    first = math.ceil(low / step - 1e-9)
    return [round((first + turn) * step, 10) for turn in range(math.floor(high / step + 1e-9) - first + 1)]
