"""The organisers' bucket as a source: how much of it, and which cases a part of it has.

Rules ask this while Snakemake reads them, so nothing large is imported here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from containers.stoic.data import Row

KEY = "challenges.stoic.remote"
ROW = "sources.data.stoic"
SUBSET = "subset-"  # begins the name of a folder that holds a part
EACH, COURSES = 2, 3
FEWEST = EACH * COURSES


@dataclass(frozen=True)
class Remote:
    """The section stoic.remote of the configuration."""

    cases: int = 0  # 0 is all

    def __post_init__(self) -> None:
        if self.cases != 0 and self.cases < FEWEST:
            raise ValueError(f"cases is {self.cases}; give at least {FEWEST}, two of each class, or 0 for all")


def choose(rows: Iterable[Row], cases: int) -> list[Row]:
    """So many of the rows, sorted by id; 0, or more than there are, is all.

    Each course (no COVID, COVID, severe COVID) has its share of them, and two at least where there are two; of each
    course they are the first by id. Shares are given one by one to the course that is furthest behind its own
    (Webster's method), so that more cases are always the fewer ones and some more.
    """
    rows = sorted(rows)
    if not cases or cases >= len(rows):
        return rows
    courses: dict[tuple[int, int], list[Row]] = {}
    for row in rows:
        courses.setdefault((row.covid, row.severe), []).append(row)
    taken = {course: min(EACH, len(of)) for course, of in courses.items()}
    while sum(taken.values()) < cases:
        left = [course for course, of in courses.items() if taken[course] < len(of)]
        taken[max(left, key=lambda course: (len(courses[course]) / (2 * taken[course] + 1), course))] += 1
    return sorted(row for course, count in taken.items() for row in courses[course][:count])
