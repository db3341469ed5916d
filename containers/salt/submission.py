"""Submissions as CSV: writing them, and reading them by all that Kaggle demands of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from containers.kit.errors import UserError, listed
from containers.kit.files import replacing
from containers.salt.rle import Masks, encode_all, fault

HEADER = ("id", "rle_mask")
TEST_IMAGES = 18_000  # of the challenge
SHOWN = 40  # characters of a cell in a sentence


@dataclass
class Problem:
    """What is wrong alike in `count` places; `first` is a sentence about the first of them."""

    kind: str
    first: str
    count: int = 1

    def __str__(self) -> str:
        return self.first + (f" (and {self.count - 1:,} more of the kind)" if self.count > 1 else "")


@dataclass
class Reading:
    """What a file holds. `errors` make it invalid; `warnings` Kaggle would not mind."""

    rows: dict[str, str] = field(default_factory=dict)  # the text of each id whose line is right
    lines: int = 0  # below the header
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def wrong(self, kind: str, said: str) -> None:
        _count(self.errors, kind, said)

    def odd(self, kind: str, said: str) -> None:
        _count(self.warnings, kind, said)


def write(path: Path, ids: Sequence[str], masks: Masks | Sequence[str]) -> None:
    """A line for every image, sorted by id; masks, or their texts, in the order of the ids."""
    texts = encode_all(masks) if isinstance(masks, np.ndarray) else masks
    rows = sorted(zip(ids, texts, strict=True))
    twice = [a for (a, _), (b, _) in pairwise(rows) if a == b]
    if twice:
        raise UserError(f"{path} would name {listed(twice)} twice; give each image once")
    for name, text in rows:
        if complaint := fault(text):
            raise UserError(f"{path}: the mask of {name} {complaint}")
    try:
        with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(HEADER)
            writer.writerows(rows)
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error.strerror}); make room there") from None


def read(path: Path, expected: Collection[str] | None = None, rows: int | None = None) -> Reading:
    """All lines, one at a time; `expected` are the ids that must be there, or `rows` says how many."""
    reading = Reading()
    known = None if expected is None else frozenset(expected)
    seen: set[str] = set()
    before = ""
    for number, cells in _lines(path, reading):
        if not cells:
            reading.wrong("empty line", f"line {number} of {path.name} is empty; have a line an image and no other")
            continue
        reading.lines += 1
        name = cells[0]
        here = f"line {number} of {path.name} ({name[:SHOWN]})"
        complaint = _complaint(cells, seen, known)
        if complaint:
            reading.wrong(complaint[0], f"{here} {complaint[1]}")
        else:
            reading.rows[name] = cells[1]
        if name < before:
            reading.odd("not sorted", f"{here} stands behind {before[:SHOWN]}; sort the lines by their ids")
        seen.add(name)
        before = name
    if not any(problem.kind in ("unreadable", "header") for problem in reading.errors):
        _complete(reading, path.name, seen, known, rows)
    return reading


def demand(path: Path, reading: Reading) -> None:
    """An error that says all that makes the file invalid."""
    if reading.errors:
        raise UserError(f"{path} is no valid submission: {listed([str(error) for error in reading.errors], '; ')}")


def _count(problems: list[Problem], kind: str, said: str) -> None:
    for problem in problems:
        if problem.kind == kind:
            problem.count += 1
            return
    problems.append(Problem(kind, said))


def _lines(path: Path, reading: Reading) -> Iterator[tuple[int, list[str]]]:
    """The lines below the header, if that is right; what ends the reading early is an error."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            if not _headed(path.name, stream, reading):
                return
            reader = csv.reader(stream)
            for cells in reader:
                yield reader.line_num + 1, cells
    except (UnicodeDecodeError, csv.Error, OSError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        reading.wrong("unreadable", f"{path.name} cannot be read to its end as CSV in UTF-8 ({said}); write it again")


def _headed(name: str, stream: io.TextIOBase, reading: Reading) -> bool:
    first = stream.readline(1000)
    found = tuple(next(csv.reader([first]), []))
    if found == HEADER:
        return True
    mark = " behind a byte order mark" if first.startswith("\ufeff") else ""
    shown = first.strip().lstrip("\ufeff")[:SHOWN]
    reading.wrong("header", f"{name} begins with {shown!r}{mark}; its first line must be {','.join(HEADER)}")
    return False


def _complaint(cells: Sequence[str], seen: set[str], known: frozenset[str] | None) -> tuple[str, str] | None:
    """The kind of what is wrong with a line, and the end of the sentence."""
    name = cells[0]
    if len(cells) != len(HEADER):
        return "columns", f"has {len(cells)} columns, not {len(HEADER)}; write an id and its runs"
    if not name:
        return "no id", "has no id; name the image"
    if known is not None and name not in known:
        return "unknown id", "names none of the images; take the line out"
    if name in seen:
        return "duplicate id", "names an image that has a line already; have one an image"
    if said := fault(cells[1]):
        return "mask", f"has a wrong mask, which {said}"
    return None


def _complete(reading: Reading, name: str, seen: set[str], known: frozenset[str] | None, rows: int | None) -> None:
    if known is not None:
        absent = sorted(known - seen)
        if absent:
            said = f"{name} lacks {len(absent):,} of {len(known):,} images ({listed(absent)}); write a line for each"
            reading.wrong("missing id", said)
        rows = len(known)
    if rows is not None and reading.lines != rows:
        reading.wrong("row count", f"{name} has {reading.lines:,} lines below its header, not {rows:,}")
    elif not reading.lines:
        reading.wrong("row count", f"{name} has no line below its header; write one an image")
