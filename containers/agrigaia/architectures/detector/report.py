"""The table of a detector's scores, in the form of Ultralytics' programs: the platform's expression reads it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mean_ap import Result
from record import finite


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
    lines.append(_row("all", pictures, result.instances.sum(), (*_means(result), result.map50, result.map), width))
    return "\n".join(lines)


def as_json(result: Result, names: Sequence[str], pictures: int) -> dict[str, Any]:
    """The same for programs; `score` is what the platform reads from the table, unrounded."""
    columns = (*result.operating, result.precision[0], result.precision.mean(0))
    keys = ("precision", "recall", "map50", "map")
    each = {
        name: {
            "pictures": int(result.pictures[place]),
            "boxes": int(result.instances[place]),
            **{key: finite(values[place]) for key, values in zip(keys, columns, strict=True)},
        }
        for place, name in enumerate(names)
    }
    precision, recall = _means(result)
    return {
        "schema": 1,
        "task": "detection",
        "score": result.map,
        "judged": pictures,
        "boxes": int(result.instances.sum()),
        "map": result.map,
        "map50": result.map50,
        "precision": precision,
        "recall": recall,
        "labels": list(names),
        "per_label": each,
    }


def _means(result: Result) -> list[float]:
    """Precision and recall over the labels that there are."""
    seen = result.instances > 0
    means: list[float] = result.operating[:, seen].mean(1).tolist() if seen.any() else [0.0, 0.0]
    return means


def _row(name: str, pictures: int, boxes: int, values: Sequence[float], width: int) -> str:
    return _line(name, (str(pictures), str(boxes), *(f"{value:.4f}" for value in values)), width)


def _line(name: str, words: Sequence[str], width: int) -> str:
    return f"  {name:{width}}" + "".join(f"{word:>12}" for word in words)
