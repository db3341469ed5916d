"""The data set as the organisers lay it out, and the cases that preprocessing made of it.

<root>/data/mha/<PatientID>.mha
<root>/metadata/reference.csv        PatientID,probCOVID,probSevere
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from containers.kit.errors import UserError, listed
from containers.kit.files import hash_of, read_json

IMAGES = "data/mha"
REFERENCE = "metadata/reference.csv"
COLUMNS = ("PatientID", "probCOVID", "probSevere")

Sex = Literal["M", "F"]


@dataclass(frozen=True, order=True)
class Row:
    """One line of reference.csv."""

    id: int
    covid: int
    severe: int


@dataclass(frozen=True)
class Case:
    """A preprocessed case: `np.load(case.path, mmap_mode="r")` is its volume, float16, (Z, Y, X), 0..1."""

    id: int
    covid: int
    severe: int
    age: int | None
    sex: Sex | None
    path: Path


def image_file(case: int) -> str:
    """Where a case's image lies below the root of the data set."""
    return f"{IMAGES}/{case}.mha"


def read_reference(path: Path) -> list[Row]:
    """The rows of reference.csv in its own order; all that is wrong with it is said in one sentence."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            lines = [(number, row) for number, row in enumerate(csv.reader(stream), 1) if any(map(str.strip, row))]
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); it should hold the labels") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} is not a CSV file in UTF-8 ({error})") from None
    header = tuple(cell.strip() for cell in lines[0][1]) if lines else ()
    if header != COLUMNS:
        raise UserError(f"{path} must begin with the line {','.join(COLUMNS)}, not {','.join(header) or 'nothing'}")
    if len(lines) == 1:
        raise UserError(f"{path} has no rows; it should hold one for each case")
    rows, problems = [], []
    for number, cells in lines[1:]:
        row, complaints = _row(cells)
        problems += [f"line {number} {complaint}" for complaint in complaints]
        rows += [row] if row else []
    counts = Counter(row.id for row in rows)
    problems += [f"PatientID {case} stands in {count} lines" for case, count in counts.items() if count > 1]
    if problems:
        raise UserError(f"{path} is not as it should be: {listed(problems, '; ')}; correct it and run again")
    return rows


def load_cases(reference_csv: Path, cases_dir: Path) -> list[Case]:
    """Every case of reference.csv with its preprocessed volume, sorted by id."""
    rows = sorted(read_reference(reference_csv))
    missing = [str(row.id) for row in rows if not (cases_dir / f"{row.id}.json").is_file()]
    if missing:
        raise UserError(f"{cases_dir} lacks the preprocessed case {listed(missing)}; run the preprocessing again")
    cases = []
    for row in rows:
        record = read_json(cases_dir / f"{row.id}.json")
        path = cases_dir / f"{row.id}.npy"
        cases.append(Case(row.id, row.covid, row.severe, record["age"], record["sex"], path))
    return cases


def fingerprint(root: Path, rows: Sequence[Row]) -> str:
    """A short name for the data: ids, labels and image sizes, so it holds for a copy and takes no full read."""
    return hash_of([[row.id, row.covid, row.severe, _size(root / image_file(row.id))] for row in sorted(rows)])


def _row(cells: list[str]) -> tuple[Row | None, list[str]]:
    """A row, or what is wrong with it."""
    if len(cells) != len(COLUMNS):
        return None, [f"has {len(cells)} values instead of {len(COLUMNS)}"]
    values = [_whole(cell) for cell in cells]
    case, covid, severe = values
    complaints = [
        f"has {name} {cell.strip()!r}, not {'a whole number' if name == 'PatientID' else '0 or 1'}"
        for name, cell, value in zip(COLUMNS, cells, values, strict=True)
        if value is None or value < 0 or (name != "PatientID" and value > 1)
    ]
    if complaints or case is None or covid is None or severe is None:
        return None, complaints
    if severe and not covid:
        return None, [f"says that PatientID {case} is severe without COVID"]
    return Row(case, covid, severe), []


def _whole(cell: str) -> int | None:
    """The integer that `7` or `7.0` means."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return int(value) if value.is_integer() else None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); each row of {REFERENCE} needs its image") from None
