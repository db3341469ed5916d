"""AUC, its interval, single classes, and the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from containers.stoic import metric


@pytest.mark.parametrize("seed", range(5))
def test_auc_is_sklearns_with_ties(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels, scores = rng.integers(0, 2, 60), rng.integers(0, 8, 60) / 8
    assert metric.auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


def test_interval_is_that_of_resampled_cases() -> None:
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1], 40)
    scores = labels + rng.normal(0, 1.2, 80)
    found = metric.interval(labels, scores)
    assert found is not None
    values = []
    for _ in range(400):
        chosen = rng.integers(0, 80, 80)
        values.append(roc_auc_score(labels[chosen], scores[chosen]))
    assert found == pytest.approx(tuple(np.percentile(values, [2.5, 97.5])), abs=0.03)
    assert found[0] < roc_auc_score(labels, scores) < found[1]
    assert found == metric.interval(labels, scores), "the same cases give the same interval"


def test_severity_is_judged_among_positives_only() -> None:
    covid, severe = np.array([1, 1, 1, 0, 0]), np.array([1, 0, 0, 0, 0])
    probabilities = np.array([[0.9, 0.6], [0.8, 0.2], [0.7, 0.1], [0.6, 0.9], [0.1, 0.9]])  # negatives look severe
    found = metric.evaluate(covid, severe, probabilities)
    assert found["severe"]["auc"] == 1.0
    assert (found["severe"]["cases"], found["severe"]["positives"]) == (3, 1)
    assert (found["covid"]["auc"], found["covid"]["cases"]) == (1.0, 5)


def test_a_single_class_has_no_auc_and_says_why() -> None:
    found = metric.evaluate(np.array([1, 1]), np.array([0, 0]), np.array([[0.1, 0.2], [0.3, 0.4]]))
    assert found["severe"]["auc"] is None
    assert found["severe"]["low"] is None
    assert found["severe"]["note"] == "no AUC: 0 of 2 cases are severe, both kinds are needed"
    assert found["covid"]["note"] == "no AUC: 2 of 2 cases are positive, both kinds are needed"
    nobody = metric.evaluate(np.zeros(0), np.zeros(0), np.zeros((0, 2)))
    assert nobody["covid"]["auc"] is None


def reference(folder: Path) -> Path:
    path = folder / "reference.csv"
    path.write_text("PatientID,probCOVID,probSevere\n1,1,1\n2,1,0\n3,0,0\n4,0,0\n")
    return path


def test_command_prints_table_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    predictions = tmp_path / "p.csv"
    predictions.write_text("PatientID,probCOVID,probSevere\n3,0.2,0.1\n1,0.9,0.7\n2,0.1,0.3\n")
    assert metric.main(["--reference", str(reference(tmp_path)), "--predictions", str(predictions)]) == 0
    *table, last = capsys.readouterr().out.strip().splitlines()
    assert json.loads(last)["severe"]["auc"] == 1.0
    assert json.loads(last)["covid"]["auc"] == 0.5
    assert any(line.startswith("COVID-19") and " 0.500 " in line for line in table)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("PatientID,probCOVID\n1,0.5\n", "must have the columns PatientID,probCOVID,probSevere"),
        ("PatientID,probCOVID,probSevere\n9,0.5,0.5\n", "has 9; "),
        ("PatientID,probCOVID,probSevere\n1,nan,0.5\n", "predictions that are not finite"),
        ("PatientID,probCOVID,probSevere\n1,0.1,0.5\n1,0.2,0.5\n", "has a PatientID twice"),
        ("PatientID,probCOVID,probSevere\n", "has no case"),
    ],
)
def test_wrong_predictions_are_one_sentence(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    predictions = tmp_path / "p.csv"
    predictions.write_text(text)
    assert metric.main(["--reference", str(reference(tmp_path)), "--predictions", str(predictions)]) == 1
    assert said in capsys.readouterr().err
