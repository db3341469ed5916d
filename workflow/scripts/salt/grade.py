"""Validate a submission and score it on the images whose truth is known.

    python -m workflow.scripts.salt.grade --truth train.csv --predictions submission.csv --output results.json

Prints a table. The exit status is 0 where the file is valid and names an image of the truth, else 1.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from containers.kit.errors import UserError, reports_errors
from containers.kit.files import write_json
from containers.salt import metric, submission
from containers.salt.metric import Scores
from containers.salt.rle import PIXELS, Masks, decode_all
from containers.salt.submission import Reading

CLASSES = 10  # of coverage, each a tenth of the image wide, and one for images without salt
CASES = ("both empty", "only the truth has salt", "only the prediction has salt", "both have salt")


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--truth", type=Path, required=True, help="train.csv, or another file of id,rle_mask")
    parser.add_argument(
        "--predictions", type=Path, required=True, help="the submission; other ids than the truth's, too"
    )
    parser.add_argument("--output", type=Path, help="write the results to this file, as JSON")
    args = parser.parse_args(argv)
    truth = submission.read(args.truth)
    if truth.errors:
        raise UserError(f"--truth {args.truth} gives no truth: {truth.errors[0]}")
    reading = submission.read(args.predictions)
    content = results(truth, reading)
    if args.output:
        try:
            write_json(args.output, content)
        except OSError as error:
            raise UserError(f"--output {args.output} cannot be written ({error.strerror}); make room there") from None
    for warning in reading.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    submission.demand(args.predictions, reading)
    if not content["images"]:
        raise UserError(f"{args.predictions} names no image of {args.truth}; give the truth of its images")
    print(table(content))
    return 0


def results(truth: Reading, predicted: Reading) -> dict[str, Any]:
    """What an invalid file scores is not told, since Kaggle would not score it."""
    ids = sorted(truth.rows.keys() & predicted.rows.keys()) if not predicted.errors else []
    truths = decode_all([truth.rows[name] for name in ids], ids)
    predictions = decode_all([predicted.rows[name] for name in ids], ids)
    scores = metric.of_all(truths, predictions)
    return {
        "schema": 1,
        "valid": not predicted.errors,
        "errors": [str(error) for error in predicted.errors],
        "warnings": [str(warning) for warning in predicted.warnings],
        **_group(scores),
        "without_truth": len(predicted.rows.keys() - truth.rows.keys()),
        "without_prediction": len(truth.rows.keys() - predicted.rows.keys()),
        "cases": _cases(truths, predictions, scores),
        "coverage": _by_coverage(truths, scores),
    }


def table(content: dict[str, Any]) -> str:
    rows = [("all images", content), *content["cases"].items()]
    rows += [(f"coverage {group['coverage']}", group) for group in content["coverage"]]
    width = max(len(name) for name, _ in rows)
    lines = [f"{'':{width}}  images  mean AP"]
    for name, group in rows:
        score = "-" if group["score"] is None else f"{group['score']:.4f}"
        lines.append(f"{name:{width}}  {group['images']:6}  {score:>7}")
    if content["without_prediction"] or content["without_truth"]:
        lines.append(
            f"not scored: {content['without_prediction']} images that only the truth names, "
            f"{content['without_truth']} that only the submission names"
        )
    return "\n".join(lines)


def _cases(truths: Masks, predictions: Masks, scores: Scores) -> dict[str, Any]:
    """By whether the truth and the prediction have salt at all."""
    salt = truths.any(axis=(1, 2)).astype(int) + 2 * predictions.any(axis=(1, 2))
    return {name: _group(scores[salt == case]) for case, name in enumerate(CASES)}


def _by_coverage(truths: Masks, scores: Scores) -> list[dict[str, Any]]:
    """Class 0 has no salt, class k more than k - 1 tenths of the image and up to k."""
    classes = -(-truths.sum(axis=(1, 2)) * CLASSES // PIXELS)
    groups = []
    for number in range(CLASSES + 1):
        share = f"{(number - 1) / CLASSES:.0%} to {number / CLASSES:.0%}" if number else "none"
        groups.append({"class": number, "coverage": share, **_group(scores[classes == number])})
    return groups


def _group(scores: Scores) -> dict[str, Any]:
    return {"images": len(scores), "score": float(np.mean(scores)) if len(scores) else None}


if __name__ == "__main__":
    raise SystemExit(main())
