"""predictions.csv by the organisers' rules, and what is odd in it though they would take it."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from containers.kit.errors import listed
from containers.objectnet.labels import LAST, NONE

COLUMNS, GUESSES, SUFFIX = 11, 5, ".png"
PREDICTIONS = slice(1, 2 * GUESSES, 2)  # ids and confidences take turns, after the name
CONFIDENCES = slice(2, COLUMNS, 2)


@dataclass(frozen=True)
class Problem:
    """`kind` is short, and the same for all that is alike; `said` is a sentence about one line or file."""

    kind: str
    said: str


@dataclass(frozen=True)
class Row:
    guesses: tuple[int, ...]  # ids, the best first; as many as there are
    confidence: float | None  # of the first; the organisers never look at it


@dataclass
class Reading:
    """`errors` make a file invalid for the organisers; `warnings` are ours."""

    rows: dict[str, Row] = field(default_factory=dict)  # by the image's name
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def read(path: Path, known: Container[str], *, in_range: bool = True) -> Reading:
    """All lines of a file, one at a time; `known` are the images' names."""
    reading = Reading()
    if not path.is_file():
        reading.errors.append(Problem("no file", f"{path.name} is not there"))
        return reading
    for number, cells in _lines(path, reading.errors):
        _line(reading, number, cells, known, in_range)
    if not reading.rows:
        reading.errors.append(Problem("no valid row", f"{path.name} contains no valid row"))
    return reading


def grouped(problems: Sequence[Problem]) -> dict[str, str]:
    """One sentence for each kind of problem: the first of them, and how many more there are."""
    counts = Counter(problem.kind for problem in problems)
    first: dict[str, str] = {}
    for problem in problems:
        first.setdefault(problem.kind, problem.said)
    more = {kind: f" (and {counts[kind] - 1:,} more of the kind)" if counts[kind] > 1 else "" for kind in first}
    return {kind: said + more[kind] for kind, said in first.items()}


def missing(names: Sequence[str], reading: Reading) -> list[Problem]:
    """Images without a row: they count as wrong."""
    absent = [name for name in names if name not in reading.rows]
    said = f"{len(absent):,} of {len(names):,} images have no valid row and count as wrong: {listed(absent)}"
    return [Problem("images without a row", said)] if absent else []


def _lines(path: Path, errors: list[Problem]) -> Iterator[tuple[int, list[str]]]:
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.reader(stream)
            for cells in reader:
                yield reader.line_num, cells
    except (UnicodeDecodeError, csv.Error, OSError) as error:
        errors.append(Problem("unreadable", f"{path.name} cannot be read to its end as CSV in UTF-8 ({error})"))


def _line(reading: Reading, number: int, cells: list[str], known: Container[str], in_range: bool) -> None:
    here = f"line {number}"
    if not cells:
        reading.errors.append(Problem("empty line", f"{here} is empty; have a line for each image and no other"))
        return
    name = cells[0].rpartition("/")[2]
    errors = []
    if name not in known:
        errors.append(Problem("unknown image", f"{here} names {name[:80]!r}, which is no image of these"))
    elif name in reading.rows:
        errors.append(Problem("duplicate image", f"{here} names {name}, which has a line already"))
    guesses, wrong = _guesses(cells[PREDICTIONS])
    if number == 1 and name not in known and not name.endswith(SUFFIX) and (wrong or not guesses):
        said = f"{here} is a header ({name[:80]!r}, ...); the file must have none, and begin with its first image"
        reading.errors.append(Problem("header", said))
        return
    if wrong:
        errors.append(Problem("id is no number", f"{here} ({name}) has the id {wrong[0][:80]!r}, which is no integer"))
    far = [guess for guess in guesses if not NONE <= guess <= LAST]
    if far and in_range:
        said = f"{here} ({name}) has the id {far[0]}, which is not from {NONE} to {LAST}"
        errors.append(Problem("id out of range", said))
    reading.errors += errors
    if errors:
        return
    confidences = [_confidence(cell) for cell in cells[CONFIDENCES]]
    reading.rows[name] = Row(guesses, confidences[0] if confidences else None)
    reading.warnings += _odd(f"{here} ({name})", cells, guesses, confidences)


def _guesses(cells: Sequence[str]) -> tuple[tuple[int, ...], list[str]]:
    """The ids, where an empty cell is none, and the cells that are no number."""
    guesses, wrong = [], []
    for cell in cells:
        try:
            guesses.append(int(cell) if cell else NONE)
        except ValueError:
            wrong.append(cell)
    return tuple(guesses), wrong


def _confidence(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _odd(here: str, cells: Sequence[str], guesses: Sequence[int], confidences: Sequence[float | None]) -> list[Problem]:
    odd = []
    if len(cells) != COLUMNS:
        odd.append(Problem("columns", f"{here} has {len(cells)} columns, where {COLUMNS} are expected"))
    numbers = [value for value in confidences if value is not None]
    if len(numbers) < len(confidences):
        said = f"{here} has the confidence {cells[CONFIDENCES][confidences.index(None)][:80]!r}, which is no number"
        odd.append(Problem("confidence is no number", said))
    if any(not 0 <= value <= 1 for value in numbers):
        said = f"{here} has confidences that are not from 0 to 1, as they are where softmax is off"
        odd.append(Problem("confidence out of range", said))
    if any(later > earlier for earlier, later in pairwise(numbers)):
        odd.append(Problem("confidences rise", f"{here} has confidences that rise; the best guess must be the first"))
    twice = [guess for guess, count in Counter(guesses).items() if count > 1 and guess != NONE]
    if twice:
        said = (
            f"{here} has the id {twice[0]} more than once, which wastes a guess; merge the classes that are one object"
        )
        odd.append(Problem("id more than once", said))
    if all(guess == NONE for guess in guesses):
        if any(numbers):
            said = f"{here} has no object at all: none of the classes that were found is one of ObjectNet's"
            odd.append(Problem("no object", said))
        else:
            odd.append(Problem("not decoded", f"{here} has no object and no confidence: it could not be decoded"))
    return odd
