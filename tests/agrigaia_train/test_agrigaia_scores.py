"""The classifier's metrics, held against scikit-learn's, and the platform's rule for finding the score."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from tests.agrigaia_train import flat
from tests.agrigaia_train.workspaces import score

assert flat
import scores  # noqa: E402

EXPRESSION = json.loads((flat.ARCHITECTURES["efficientnet"] / "custom.json").read_text())["score_regexp"]


@pytest.mark.parametrize("seed", range(4))
def test_metrics_are_those_of_scikit_learn(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth = random.integers(0, 5, 60)
    answers = np.where(random.random(60) < 0.6, truth, random.integers(0, 4 + seed % 2, 60))
    found = scores.counted(truth.tolist(), answers.tolist(), 5)
    rows = {line.rsplit(maxsplit=1)[0].strip(): float(line.split()[-1]) for line in scores.table(found).splitlines()}
    expected = {"Accuracy": accuracy_score(truth, answers)}
    for average in ("micro", "macro"):
        values = precision_recall_fscore_support(truth, answers, average=average, zero_division=0)
        expected |= dict(
            zip([f"{name} ({average})" for name in ("Precision", "Recall", "F1")], values[:3], strict=True)
        )
    assert rows == pytest.approx(expected, abs=5.1e-5)
    each = precision_recall_fscore_support(truth, answers, labels=range(5), zero_division=0)
    for label in range(5):
        assert found.of(label) == pytest.approx([values[label] for values in each[:3]])


def test_a_label_that_nobody_has_or_says_does_not_count_in_the_mean() -> None:
    found = scores.counted([0, 0, 1], [0, 0, 1], 4)
    assert (found.accuracy, found.macro) == (1.0, (1.0, 1.0, 1.0))
    assert scores.counted([], [], 3).macro == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(("right", "told"), [(29, 0.29), (100, 1.0), (0, 0.0)])
def test_the_platform_finds_the_accuracy_whatever_the_labels_are_called(right: int, told: float) -> None:
    names = ["Accuracy", "all", "F1 0.99", *(f"label {number}" for number in range(60))]
    truth = [0] * 100
    found = scores.counted(truth, [0] * right + [1] * (100 - right), len(names))
    log = f"    Accuracy    0.111\n{scores.by_label(found, names)}\n\n{scores.table(found)}\n\nreal\t0m1.2s\nended\n"
    assert score(log, EXPRESSION) == told
    assert score("no score\n" * 60, EXPRESSION) is None
