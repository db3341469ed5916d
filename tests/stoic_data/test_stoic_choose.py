"""Which cases a part of the organisers' data has."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from containers.stoic.data import Row
from workflow.scripts.stoic.remote import choose

RELEASED = {(0, 0): 795, (1, 0): 904, (1, 1): 301}


def release() -> list[Row]:
    """As many of each course as the organisers', in no order."""
    courses = [course for course, count in RELEASED.items() for _ in range(count)]
    order = np.random.default_rng(0).permutation(len(courses))
    return [Row(5 * number + 6, *courses[place]) for number, place in enumerate(order)]


def shares(rows: list[Row]) -> dict[tuple[int, int], int]:
    return dict(Counter((row.covid, row.severe) for row in rows))


@pytest.mark.parametrize(
    ("cases", "expected"),
    [
        (6, {(0, 0): 2, (1, 0): 2, (1, 1): 2}),
        (20, {(0, 0): 8, (1, 0): 9, (1, 1): 3}),
        (200, {(0, 0): 80, (1, 0): 90, (1, 1): 30}),
        (2000, RELEASED),
        (5000, RELEASED),
        (0, RELEASED),
    ],
)
def test_each_course_has_its_share(cases: int, expected: dict[tuple[int, int], int]) -> None:
    chosen = choose(release(), cases)
    assert shares(chosen) == expected
    assert chosen == sorted(chosen)


def test_of_each_course_they_are_the_first_and_more_cases_are_the_fewer_and_some_more() -> None:
    rows = release()
    before: set[Row] = set()
    for cases in range(6, 301):
        chosen = set(choose(rows, cases))
        assert len(chosen) == cases
        assert before <= chosen
        before = chosen
    for course in RELEASED:
        of = sorted(row for row in rows if (row.covid, row.severe) == course)
        count = sum((row.covid, row.severe) == course for row in before)
        assert set(of[:count]) == {row for row in before if (row.covid, row.severe) == course}


def test_a_course_with_one_case_or_none_gives_what_it_has() -> None:
    rows = [Row(number, 1, 0) for number in range(20)] + [Row(30, 1, 1)]
    assert shares(choose(rows, 6)) == {(1, 0): 5, (1, 1): 1}
