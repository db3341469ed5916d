"""The organisers' metric: AUC of severity among the positive cases, and AUC of COVID-19 among all, with 95 % intervals.

    python -m containers.stoic.metric --reference metadata/reference.csv --predictions out_of_fold.csv

The predictions have the columns PatientID,probCOVID,probSevere; cases without a prediction are left out.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from containers.kit.errors import UserError, listed, reports_errors
from containers.stoic.data import COLUMNS, read_reference

Array = np.ndarray[Any, Any]
REPLICATES = 2000
CHUNK = 1 << 22  # numbers in memory at once while replicates are counted
Measure = dict[str, Any]


def auc(labels: Array, scores: Array) -> float | None:
    """Area under the ROC curve; ties count half. None where only one class is there."""
    value = _weighted_auc(labels, scores, np.ones((1, len(labels))))[0] if len(labels) else np.nan
    return None if np.isnan(value) else float(value)


def interval(labels: Array, scores: Array, replicates: int = REPLICATES, seed: int = 0) -> tuple[float, float] | None:
    """The middle 95 % of the AUC over resampled cases; replicates with one class only say nothing and are left out."""
    if auc(labels, scores) is None:
        return None
    rng = np.random.default_rng(seed)
    count, block = len(labels), max(1, CHUNK // len(labels))
    values = []
    for first in range(0, replicates, block):
        weights = rng.multinomial(count, np.full(count, 1 / count), size=min(block, replicates - first))
        values.append(_weighted_auc(labels, scores, weights))
    low, high = np.nanpercentile(np.concatenate(values), [2.5, 97.5])
    return float(low), float(high)


def measure(labels: Array, scores: Array, of: str) -> Measure:
    """AUC, interval and counts; `note` says why there is none."""
    positives = int(labels.sum())
    value, bounds = auc(labels, scores), interval(labels, scores)
    low, high = bounds or (None, None)
    note = "" if value is not None else f"no AUC: {positives} of {len(labels)} cases are {of}, both kinds are needed"
    return {"auc": value, "low": low, "high": high, "cases": len(labels), "positives": positives, "note": note}


def evaluate(covid: Array, severe: Array, probabilities: Array) -> dict[str, Measure]:
    """Both measures; `probabilities` is (cases, 2), COVID-19 and severe, on any scale that keeps the order."""
    positive = covid > 0
    return {
        "severe": measure(severe[positive], probabilities[positive, 1], "severe"),
        "covid": measure(covid, probabilities[:, 0], "positive"),
    }


def table(measures: Mapping[str, Measure]) -> str:
    lines = [f"{'AUC':<24}{'value':>8}{'95 % interval':>18}{'cases':>8}{'of these':>10}"]
    names = {"severe": "severe among positives", "covid": "COVID-19"}
    for key, row in measures.items():
        value = "-" if row["auc"] is None else f"{row['auc']:.3f}"
        bounds = "-" if row["low"] is None else f"{row['low']:.3f} to {row['high']:.3f}"
        lines.append(
            f"{names[key]:<24}{value:>8}{bounds:>18}{row['cases']:>8}{row['positives']:>10}  {row['note']}".rstrip()
        )
    return "\n".join(lines)


def read_predictions(path: Path) -> dict[int, tuple[float, float]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
        found = {int(float(row[COLUMNS[0]])): (float(row[COLUMNS[1]]), float(row[COLUMNS[2]])) for row in rows}
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); it should hold the predictions") from None
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} must have the columns {','.join(COLUMNS)} with numbers in them ({error!r})") from None
    if len(found) < len(rows):
        raise UserError(f"{path} has a PatientID twice; keep one prediction for each case")
    if not np.isfinite(list(found.values())).all():
        raise UserError(f"{path} has predictions that are not finite numbers; predict these cases again")
    return found


def _weighted_auc(labels: Array, scores: Array, weights: Array) -> Array:
    """One AUC for each row of `weights`, which says how often each case counts; NaN where a class is not there."""
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(scores[order]) > 0])  # equal scores make one group
    ordered, positive = weights[:, order], labels[order] > 0
    won = np.add.reduceat(np.where(positive, ordered, 0).astype(float), starts, axis=1)
    lost = np.add.reduceat(np.where(positive, 0, ordered).astype(float), starts, axis=1)
    below = np.cumsum(lost, axis=1) - lost
    pairs = won.sum(axis=1) * lost.sum(axis=1)
    ranked = (won * (below + lost / 2)).sum(axis=1)
    values: Array = np.divide(ranked, pairs, out=np.full(len(weights), np.nan), where=pairs > 0)
    return values


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", type=Path, required=True, help="the organisers' reference.csv")
    parser.add_argument("--predictions", type=Path, required=True, help="CSV with the columns of the reference")
    args = parser.parse_args(argv)
    predictions = read_predictions(args.predictions)
    rows = {row.id: row for row in read_reference(args.reference)}
    unknown = [str(case) for case in predictions if case not in rows]
    if unknown or not predictions:
        raise UserError(f"{args.predictions} has {listed(unknown) or 'no case'}; {args.reference} must know its cases")
    covid, severe = np.array([(rows[case].covid, rows[case].severe) for case in predictions]).T
    measures = evaluate(covid, severe, np.array(list(predictions.values())))
    print(table(measures))
    print(json.dumps(measures, allow_nan=False))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
