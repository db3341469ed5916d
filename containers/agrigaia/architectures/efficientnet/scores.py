"""How good a classifier is: by label, and over all; printed so that the platform finds its score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Scores:
    """Of a table of counts, true labels down and answers across."""

    counts: NDArray[np.int64]

    @property
    def accuracy(self) -> float:
        return _share(self.counts.trace(), self.counts.sum())

    def of(self, label: int) -> tuple[float, float, float]:
        """Precision, recall, F1 of a label; 0 where there is nothing to divide by."""
        hits = self.counts[label, label]
        precision, recall = _share(hits, self.counts[:, label].sum()), _share(hits, self.counts[label].sum())
        return precision, recall, _share(2 * precision * recall, precision + recall)

    @property
    def macro(self) -> tuple[float, float, float]:
        """The mean over the labels that there are, or that were answered."""
        known = [label for label in range(len(self.counts)) if self.counts[label].sum() + self.counts[:, label].sum()]
        values = np.array([self.of(label) for label in known] or [(0.0, 0.0, 0.0)])
        precision, recall, f1 = values.mean(0).tolist()
        return precision, recall, f1


def counted(truth: Sequence[int], answers: Sequence[int], labels: int) -> Scores:
    counts = np.zeros((labels, labels), np.int64)
    np.add.at(counts, (np.asarray(truth, int), np.asarray(answers, int)), 1)
    return Scores(counts)


def by_label(scores: Scores, names: Sequence[str]) -> str:
    """A line a label; for many of them more than the platform reads, so it comes before the table of all."""
    width = max(map(len, names), default=0)
    lines = [f"{'':{width + 4}}  Precision  Recall      F1   Count"]
    for place, name in enumerate(names):
        precision, recall, f1 = scores.of(place)
        lines.append(f"    {name:{width}}  {precision:9.4f}  {recall:6.4f}  {f1:6.4f}  {scores.counts[place].sum():6}")
    return "\n".join(lines)


def table(scores: Scores) -> str:
    """One metric a line. With one answer to each piece, all of the micro averages are the accuracy."""
    micro, (precision, recall, f1) = scores.accuracy, scores.macro
    rows = {
        "Precision (micro)": micro,
        "Recall (micro)": micro,
        "F1 (micro)": micro,
        "Precision (macro)": precision,
        "Recall (macro)": recall,
        "F1 (macro)": f1,
        "Accuracy": micro,
    }
    return "\n".join(f"    {name:19}{value:.4f}" for name, value in rows.items())


def as_json(scores: Scores, names: Sequence[str]) -> dict[str, Any]:
    """The same for programs; `score` is what the platform reads from the table, unrounded."""
    precision, recall, f1 = scores.macro
    each = {
        name: dict(zip(("precision", "recall", "f1"), scores.of(place), strict=True))
        for place, name in enumerate(names)
    }
    return {
        "schema": 1,
        "task": "classification",
        "score": scores.accuracy,
        "judged": int(scores.counts.sum()),
        "accuracy": scores.accuracy,
        "macro": {"precision": precision, "recall": recall, "f1": f1},
        "labels": list(names),
        "per_label": each,
        "counts": scores.counts.tolist(),
    }


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0
