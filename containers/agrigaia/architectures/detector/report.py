"""The table of a detector's scores, in the form of Ultralytics' programs: the platform's expression reads it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mean_ap import Result


def table(result: Result, names: Sequence[str], pictures: int) -> str:
    """A line a label with pictures, boxes, precision, recall, mAP@.5, mAP@.5:.95; the line of all comes last."""
    width = max(16, *(len(name) for name in names))
    head = ("Pictures", "Boxes", "P", "R", "mAP@.5", "mAP@.5:.95")
    lines = [_line("", head, width)]
    each = result.precision
    for place, name in enumerate(names):
        if result.instances[place]:
            values = (*result.operating[:, place], each[0, place], each[:, place].mean())
            lines.append(_row(name, result.pictures[place], result.instances[place], values, width))
    seen = result.instances > 0
    means = result.operating[:, seen].mean(1) if seen.any() else np.zeros(2)
    lines.append(_row("all", pictures, result.instances.sum(), (*means, result.map50, result.map), width))
    return "\n".join(lines)


def _row(name: str, pictures: int, boxes: int, values: Sequence[float], width: int) -> str:
    return _line(name, (str(pictures), str(boxes), *(f"{value:.4f}" for value in values)), width)


def _line(name: str, words: Sequence[str], width: int) -> str:
    return f"  {name:{width}}" + "".join(f"{word:>12}" for word in words)
