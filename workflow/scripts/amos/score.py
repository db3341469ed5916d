"""Score what the container wrote: DSC and NSD of each organ of each case, a table, a card and a picture.

    python -m workflow.scripts.amos.score --cases scratch/amos/raw/cases.json --predictions scratch/amos/output \\
        --metric '{"tolerance": 1.0}' --output results/amos/score
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from containers.amos.organs import LAST, ORGANS
from containers.amos.settings import Metric
from containers.kit.errors import UserError, reports_errors
from containers.kit.files import read_json, replacing, write_text
from containers.kit.pool import each
from containers.kit.settings import parse
from workflow.scripts.amos.metric import Labels, OrganScore, measure, summary
from workflow.scripts.amos.overlay import draw

Case = Mapping[str, Any]
Scores = dict[int, OrganScore]
PICTURE, CAPTION = "overlay.png", "One case: the scan, its true labels, and what the container wrote."
COLUMNS = ("case", "modality", "organ", "dsc", "nsd", "truth_mm3", "predicted_mm3")
NOTES = (
    "An organ that is in neither the truth nor the prediction of a case is left out there; one that is in only one of "
    "the two counts as 0. The organisers' own rule is not known.",
    "The tolerance of the NSD, {tolerance:g} mm, is a setting of Slipway; the organisers' value is not known.",
)


def score_case(predictions: Path, tolerance: float, case: Case) -> Scores:
    """The organs of one case, once its two label maps are seen to fit."""
    truth, prediction = Path(case["label"]), predictions / case["file"]
    expected, there = _labels(truth)
    found, got = _labels(prediction)
    if there.shape != got.shape:
        raise UserError(
            f"{prediction} has {got.shape} voxels and {truth} {there.shape}; the container must keep the grid"
        )
    if not np.allclose(expected.affine, found.affine, atol=1e-2):
        raise UserError(f"{prediction} lies elsewhere than {truth}; the container must keep the image's affine")
    return measure(there, got, [float(step) for step in expected.header.get_zooms()[:3]], tolerance)


def card(scores: Sequence[Scores], held_out: bool, tolerance: float) -> dict[str, Any]:
    """What the report page shows."""
    group = "holdout" if held_out else "training"
    notes = [note.format(tolerance=tolerance) for note in NOTES]
    if not held_out:
        notes.append("No labelled case was held out: these are training cases, and say little.")
    metrics = {f"{group}_dsc": summary(scores, "dsc"), f"{group}_nsd": summary(scores, "nsd")}
    for row in metrics[f"{group}_nsd"].values():
        row["note"] = "; ".join(filter(None, [row.get("note"), f"within {tolerance:g} mm, not the organisers' word"]))
    pictures = [{"file": PICTURE, "caption": CAPTION}]
    return {"schema": 1, "challenge": "amos", "metrics": metrics, "notes": notes, "pictures": pictures}


def table(content: Mapping[str, Any]) -> str:
    dsc, nsd = content["metrics"].values()
    lines = [f"{'organ':<20}{'DSC':>7}{'95 % interval':>18}{'NSD':>9}{'95 % interval':>18}{'cases':>7}"]
    for organ, row in dsc.items():
        cells = f"{_cell(row, 'dsc')}  {_cell(nsd[organ], 'nsd')}"
        lines.append(f"{organ:<20}{cells}{row['cases']:>7}  {row.get('note', '')}".rstrip())
    return "\n".join(lines)


def write_csv(path: Path, cases: Sequence[Case], scores: Sequence[Scores]) -> None:
    with replacing(path) as partial_path, partial_path.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(COLUMNS)
        for case, organs in zip(cases, scores, strict=True):
            for organ, one in organs.items():
                shares = ["" if value is None else f"{value:.6f}" for value in (one.dsc, one.nsd)]
                volumes = [f"{volume:.1f}" for volume in (one.truth_mm3, one.predicted_mm3)]
                rows.writerow([case["id"], case["modality"], ORGANS[organ], *shares, *volumes])


def _labels(path: Path) -> tuple[Any, Labels]:
    """A label map's header and its voxels as whole numbers."""
    try:
        image: Any = nib.load(path)
        values = np.asanyarray(image.dataobj)
    except FileNotFoundError:
        raise UserError(f"{path} is not there; run the container's test again") from None
    except (OSError, EOFError, ValueError, nib.filebasedimages.ImageFileError) as error:
        raise UserError(f"{path} is not readable as NIfTI ({error}); write it again") from None
    if not np.isin(np.unique(values), range(LAST + 1)).all():
        raise UserError(f"{path} has values other than 0 to {LAST}; it must be a label map of AMOS22")
    return image, values.astype(np.uint8)


def _cell(row: Mapping[str, Any], name: str) -> str:
    value = "-" if row[name] is None else f"{row[name]:.3f}"
    bounds = "-" if row["low"] is None else f"{row['low']:.3f} to {row['high']:.3f}"
    return f"{value:>7}{bounds:>18}"


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=Path, required=True, help="what the container was given, and the labels")
    parser.add_argument("--predictions", type=Path, required=True, help="folder with what it wrote")
    parser.add_argument("--metric", default="{}", help="the section amos.metric as JSON, or @file")
    parser.add_argument("--output", type=Path, required=True, help="folder for scores.csv, card.json and overlay.png")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0 means one a CPU")
    args = parser.parse_args(argv)
    metric = parse(Metric, args.metric, "metric")
    content = read_json(args.cases)
    cases = content["cases"]
    results = each(partial(score_case, args.predictions, metric.tolerance), cases, workers=args.workers, title="score")
    scores = [result for result in results if not isinstance(result, UserError)]
    if len(scores) < len(cases):
        wrong = [str(result) for result in results if isinstance(result, UserError)]
        raise UserError(f"{len(wrong)} of {len(cases)} cases cannot be scored: {'; and '.join(wrong)}")
    made = card(scores, content["held_out"], metric.tolerance)
    write_csv(args.output / "scores.csv", cases, scores)
    shown = next((case for case in cases if case["modality"] == "CT"), cases[0])
    draw(
        args.output / PICTURE,
        Path(content["root"]) / shown["file"],
        Path(shown["label"]),
        args.predictions / shown["file"],
        f"{shown['modality']} {shown['id']}",
    )
    # Not sorted: the means come first, and the organs in the organisers' order.
    write_text(args.output / "card.json", json.dumps(made, indent=2, allow_nan=False) + "\n")
    print(table(made))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
