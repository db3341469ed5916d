"""The scores of a training as cards and tables show them: over all, and of each label, with intervals of shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from containers.kit.errors import UserError
from workflow.scripts.agrigaia.trained import SCORES, Trained
from workflow.scripts.slipway.intervals import wilson

T = TypeVar("T")
Json = dict[str, Any]
HERE, THERE = "agrigaia_here", "agrigaia_container"  # where it was trained
COLUMNS = {
    "classification": ("label", "pieces", "answered", "right", "precision", "recall", "f1"),
    "detection": ("label", "pictures", "boxes", "precision", "recall", "map50", "map"),
}


def groups(trained: Trained, where: str) -> dict[str, Json]:
    """The card's metrics, by group."""
    scores = trained.scores
    if scores is None:
        return {}
    overall, labels = _built(trained, scores, _classified if scores["task"] == "classification" else _detected)
    return {where: overall, f"{where}_labels": labels}


def table(trained: Trained) -> tuple[tuple[str, ...], list[list[Any]]]:
    """Columns and a line a label; nothing where there are no scores."""
    scores = trained.scores
    if scores is None:
        return ("label",), []
    columns = COLUMNS[scores["task"]]
    return columns, _built(trained, scores, lambda content: _lines(content, columns))


def judged(trained: Trained) -> str:
    """By what it was judged, in words."""
    scores = trained.scores
    if scores is None:
        return ""
    pieces = scores["task"] == "classification"
    return _built(
        trained,
        scores,
        lambda one: (
            f"{one['judged']:,} labelled pieces"
            if pieces
            else f"{one['judged']:,} pictures with {one['boxes']:,} boxes"
        ),
    )


def _built(trained: Trained, scores: Mapping[str, Any], build: Callable[[Mapping[str, Any]], T]) -> T:
    try:
        return build(scores)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        words = f"{type(error).__name__}: {error}"
        raise UserError(
            f"{trained.folder / SCORES} is not as Slipway's train.py writes it ({words}); mend it"
        ) from None


def _classified(scores: Mapping[str, Any]) -> tuple[Json, Json]:
    counts, total = scores["counts"], scores["judged"]
    right = sum(row[place] for place, row in enumerate(counts))
    overall = {"accuracy": _share("accuracy", right, total), "mean F1": _plain("f1", scores["macro"]["f1"], total)}
    labels: Json = {}
    for place, name in enumerate(scores["labels"]):
        hits, truly, answered = counts[place][place], sum(counts[place]), sum(row[place] for row in counts)
        labels[f"{name}: recall"] = _share("recall", hits, truly)
        labels[f"{name}: precision"] = _share("precision", hits, answered)
        known = scores["per_label"][name]["f1"] if truly + answered else None
        labels[f"{name}: F1"] = _plain("f1", known, truly)
    return overall, labels


def _detected(scores: Mapping[str, Any]) -> tuple[Json, Json]:
    boxes = scores["boxes"]
    shown = {"mAP@.5:.95": "map", "mAP@.5": "map50", "precision": "precision", "recall": "recall"}
    overall = {title: _plain(key, scores[key], boxes) for title, key in shown.items()}
    labels = {
        f"{name}: {title}": _plain(key, row[key], row["boxes"])
        for name, row in scores["per_label"].items()
        for title, key in list(shown.items())[:2]
    }
    return overall, labels


def _share(key: str, part: int, whole: int) -> Json:
    low, high = wilson(part, whole)
    return {key: part / whole if whole else None, "low": low, "high": high, "cases": whole}


def _plain(key: str, value: float | None, cases: int) -> Json:
    """Of an average over labels or thresholds nobody knows an interval so cheaply."""
    return {key: None if value is None else float(value), "low": None, "high": None, "cases": cases}


def _lines(scores: Mapping[str, Any], columns: tuple[str, ...]) -> list[list[Any]]:
    lines = []
    for place, name in enumerate(scores["labels"]):
        row = {"label": name, **scores["per_label"][name]}
        if scores["task"] == "classification":
            counts = scores["counts"]
            row |= {"pieces": sum(counts[place]), "answered": sum(one[place] for one in counts)}
            row["right"] = counts[place][place]
        lines.append([_cell(row[column]) for column in columns])
    return lines


def _cell(value: Any) -> Any:
    return "" if value is None else f"{value:.6f}" if isinstance(value, float) else value
