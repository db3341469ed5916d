"""Average precision as COCO's own program counts it, for boxes of any size and without crowds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0.0, 1.0, 101)
MOST = 100  # answers of a label in a picture


@dataclass(frozen=True)
class Boxes:
    """Of one picture, as left, top, right, bottom; of true ones the scores are not looked at."""

    boxes: Floats
    labels: Ints
    scores: Floats


@dataclass(frozen=True)
class Result:
    precision: Floats  # average precision, (thresholds, labels); nan for labels that no picture has
    operating: Floats  # precision and recall at IoU .5 where their F1 is best, (2, labels)
    pictures: Ints  # with the label
    instances: Ints

    @property
    def map(self) -> float:
        return _mean(self.precision)

    @property
    def map50(self) -> float:
        return _mean(self.precision[0])


def evaluated(found: Sequence[Boxes], true: Sequence[Boxes], labels: int) -> Result:
    precision, operating = np.full((len(THRESHOLDS), labels), np.nan), np.full((2, labels), np.nan)
    pictures, instances = np.zeros(labels, np.int64), np.zeros(labels, np.int64)
    for label in range(labels):
        counts = np.array([(one.labels == label).sum() for one in true])
        pictures[label], instances[label] = (counts > 0).sum(), counts.sum()
        if not instances[label]:
            continue
        scores, hits = _matched(found, true, label)
        order = np.argsort(-scores, kind="mergesort")
        for place, row in enumerate(hits[:, order]):
            precision[place, label] = _average(row, int(instances[label]))
        operating[:, label] = _best(hits[0, order], int(instances[label]))
    return Result(precision, operating, pictures, instances)


def _matched(found: Sequence[Boxes], true: Sequence[Boxes], label: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Scores of all answers of a label, and at each threshold whether they hit a box that no better one had hit."""
    all_scores, all_hits = [np.zeros(0)], [np.zeros((len(THRESHOLDS), 0), bool)]
    for one, other in zip(found, true, strict=True):
        mine = one.labels == label
        order = np.argsort(-one.scores[mine], kind="mergesort")[:MOST]
        overlaps = overlap(one.boxes[mine][order], other.boxes[other.labels == label])
        all_scores.append(one.scores[mine][order])
        all_hits.append(np.stack([_hits(overlaps, threshold) for threshold in THRESHOLDS]))
    return np.concatenate(all_scores), np.concatenate(all_hits, axis=1)


def _hits(overlaps: Floats, threshold: float) -> NDArray[np.bool_]:
    """Each answer in its turn takes the free box that it covers best, the last one of equal ones."""
    answers, boxes = overlaps.shape
    free, hits = np.ones(boxes, bool), np.zeros(answers, bool)
    if boxes:
        for answer, row in enumerate(overlaps):
            shares = np.where(free, row, -1.0)
            best = boxes - 1 - int(shares[::-1].argmax())
            if shares[best] >= min(threshold, 1 - 1e-10):
                free[best], hits[answer] = False, True
    return hits


def overlap(one: Floats, other: Floats) -> Floats:
    """IoU of each with each."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(2)
    union = _area(one)[:, None] + _area(other)[None] - shared
    found: Floats = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return found


def _area(boxes: Floats) -> Floats:
    result: Floats = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return result


def _curve(hits: NDArray[np.bool_], instances: int) -> tuple[Floats, Floats]:
    """Precision and recall with more and more of the answers."""
    right = np.cumsum(hits).astype(float)
    return right / np.arange(1, len(hits) + 1), right / instances


def _average(hits: NDArray[np.bool_], instances: int) -> float:
    precision, recall = _curve(hits, instances)
    precision = np.maximum.accumulate(precision[::-1])[::-1]  # the best from there on
    places = np.searchsorted(recall, RECALLS, side="left")
    return float(np.append(precision, 0.0)[places].mean())


def _best(hits: NDArray[np.bool_], instances: int) -> tuple[float, float]:
    if not hits.any():
        return 0.0, 0.0
    precision, recall = _curve(hits, instances)
    best = int((2 * precision * recall / np.maximum(precision + recall, 1e-12)).argmax())
    return float(precision[best]), float(recall[best])


def _mean(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else 0.0
