"""The fingerprint of raw data: how many there are and should be, what they show, and what reading some of them gave.

It holds no path and no time, so that equal data give equal bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
SCHEMA = 1
DIGITS = 6  # that count of a number; further ones may differ between machines
MOST = 4_000_000  # voxels that percentiles are taken of
SHARES = (1, 50, 99)  # percent: beyond them lies what scanners and the edges of the picture make up


@dataclass(frozen=True)
class Count:
    name: str
    found: int
    released: int | None = None  # None where nobody says it
    binding: bool = True  # whether `remote` must give just as many


@dataclass(frozen=True)
class Labels:
    """How many of some show what, and how many of the release do where somebody says it."""

    title: str
    of: int
    counts: Mapping[str, int]
    released: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Measure:
    """One number of each case, over all cases that have it."""

    name: str
    unit: str
    count: int
    low: float
    median: float
    high: float
    group: str = ""


@dataclass(frozen=True)
class Found:
    """What is known of the raw data of one challenge."""

    noun: str  # what is read, such as cases
    counts: Sequence[Count]
    of: int  # that could be read
    read: int
    labels: Sequence[Labels] = ()
    measures: Sequence[Measure] = ()
    notes: Sequence[str] = field(default_factory=tuple)


def measure(name: str, unit: str, values: Iterable[float], group: str = "") -> list[Measure]:
    """The least, the middle and the largest value; no measure of no values."""
    numbers = np.asarray(list(values), np.float64)
    if not numbers.size:
        return []
    low, median, high = (tidy(float(number)) for number in (numbers.min(), np.median(numbers), numbers.max()))
    return [Measure(name, unit, numbers.size, low, median, high, group)]


def triples(name: str, unit: str, values: Sequence[tuple[float, ...]], group: str = "") -> list[Measure]:
    """A measure for each of the percentiles of `percentiles`."""
    titles = ("1st percentile", "median", "99th percentile")
    of_title = zip(titles, zip(*values, strict=True), strict=True) if values else ()
    return [one for title, column in of_title for one in measure(f"{name}, {title}", unit, column, group)]


def percentiles(values: Array) -> tuple[float, float, float]:
    """Of values evenly spread over an image or a volume, all of them unless they are very many."""
    step = max(1, math.ceil((values.size / MOST) ** (1 / values.ndim)))
    low, middle, high = np.percentile(values[(slice(None, None, step),) * values.ndim], SHARES)
    return float(low), float(middle), float(high)


def tidy(value: float) -> float:
    """As many digits as count; a whole number is written as such."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is no measure")
    short = float(f"{value:.{DIGITS}g}")
    return int(short) if short.is_integer() else short


def written(challenge: str, source: str, fingerprint: str, found: Found) -> dict[str, Any]:
    """The content of fingerprint.json."""
    counts = [{"name": one.name, "found": one.found, "released": one.released} for one in found.counts]
    labels = [{"title": one.title, "of": one.of, "counts": _rows(one)} for one in found.labels if one.counts]
    read = {"noun": found.noun, "of": found.of, "read": found.read, "whole": found.read == found.of}
    return {
        "schema": SCHEMA,
        "challenge": challenge,
        "source": source,
        "fingerprint": fingerprint,
        "counts": counts,
        "labels": labels,
        "read": read,
        "measures": [asdict(one) for one in found.measures],
        "notes": list(found.notes),
    }


def _rows(labels: Labels) -> list[dict[str, Any]]:
    known = labels.counts.items()
    return [{"name": name, "count": count, "released": labels.released.get(name)} for name, count in known]
