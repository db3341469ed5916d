"""The organisers' rules again, word for word and with no care for speed, to compare with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def judge(lines: Sequence[Sequence[str]], answers: Mapping[str, int], range_check: bool = True) -> dict[str, Any]:
    """What they report of a file with these cells."""
    bad = 0
    first, five = [], []
    seen = []
    for cells in lines:
        file = cells[0].split("/")[-1]
        numbers = []
        for column in (1, 3, 5, 7, 9):
            if column < len(cells):
                try:
                    numbers.append(-1 if cells[column] == "" else int(cells[column]))
                except ValueError:
                    bad += 1
        outside = [number for number in numbers if number < -1 or number > 312]
        if file in seen or file not in answers or (range_check and outside):
            bad += 1
        seen.append(file)
        if file in answers:
            first.append(len(numbers) > 0 and numbers[0] == answers[file])
            five.append(answers[file] in numbers)
    if bad or not lines:
        return {"status": "INVALID"}
    total = len(answers)
    return {
        "status": "VALIDATED",
        "accuracy": 100 * first.count(True) / total,
        "top5_accuracy": 100 * five.count(True) / total,
        "images_scored": len(lines),
        "total_images": total,
    }
