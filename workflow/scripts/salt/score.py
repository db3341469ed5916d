"""Score the submissions where the truth is known, and hold the container's file against that of the host.

    python -m workflow.scripts.salt.score --manifest scratch/salt/raw/manifest.json --tuned scratch/salt/tuned.json \\
        --submissions results/salt/kaggle --container results/salt/predict/output \\
        --variant both_post_processing --output results/salt/score
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError, listed, reports_errors
from containers.kit.files import read_json, replacing, replacing_tree, write_json, write_text
from containers.salt import metric, submission
from containers.salt.places import SUBMISSION
from containers.salt.rle import decode_all
from containers.salt.settings import VARIANTS
from containers.salt.submission import Reading
from workflow.scripts.salt import bootstrap, overlay
from workflow.scripts.salt import tuned as tunings
from workflow.scripts.salt.demo_images import TRUTH
from workflow.scripts.salt.grade import results
from workflow.scripts.salt.tuned import Tuned

Json = dict[str, Any]
PICTURE = "overlay.png"
CAPTION = "Some of the test's images, with the salt that {variant} found{truth}."
DEMO = (
    "These images are synthetic: the score shows that all parts work together, and says nothing about the places in "
    "Kaggle's list."
)
BARE = "Nobody but Kaggle knows the truth of these images; submit a file to have it scored."
PARTS = ("images", "score", "cases", "coverage")


def truth_of(content: Mapping[str, Any]) -> Reading | None:
    """The masks of the test, which are known of the demo alone."""
    path = Path(content["root"]).parent / TRUTH
    if content["source"] != "demo" or not path.is_file():
        return None
    return valid(path, [entry["id"] for entry in content["test"]])


def valid(path: Path, ids: Sequence[str] | None = None) -> Reading:
    if not path.is_file():
        raise UserError(f"{path} is not there; run the rule that makes it")
    reading = submission.read(path, ids)
    submission.demand(path, reading)
    return reading


def agreement(host: Reading, container: Reading, variant: str) -> tuple[str, bool]:
    """In how many lines the container's file is the host's, and whether in all."""
    unknown = sorted(container.rows.keys() - host.rows.keys())
    if unknown:
        raise UserError(f"the container's file names {listed(unknown)}, which the host's has not; test it on this data")
    same = sum(host.rows[name] == text for name, text in container.rows.items())
    every = same == len(container.rows)
    told = f"{same:,} of {len(container.rows):,} lines that the container wrote are those of the host's {variant}.csv"
    differs = "" if every else "; another device or number of threads rounds otherwise, and pixels at a border change"
    return f"{told}{differs}.", every


def card(metrics: Json, notes: Sequence[str], pictures: Sequence[Json]) -> Json:
    """What the report page shows."""
    return {"schema": 1, "challenge": "salt", "metrics": metrics, "notes": list(notes), "pictures": list(pictures)}


def scored(truth: Reading, files: Mapping[str, Reading]) -> Json:
    """The mean AP of each variant on the same images, with its interval."""
    ids = sorted(truth.rows)
    truths = decode_all([truth.rows[name] for name in ids], ids)
    return bootstrap.measures(
        {
            variant: metric.of_all(truths, decode_all([reading.rows[name] for name in ids], ids))
            for variant, reading in files.items()
        }
    )


def out_of_fold(tuned: Tuned) -> Json:
    """As they were tuned; the artifact's card has the intervals."""
    return {
        variant: {"ap": score, "low": None, "high": None, "cases": tuned.images}
        for variant, score in tuned.scores.items()
    }


def table(holdout: Json, tuned: Json) -> str:
    lines = [f"{'':<28}{'test':>8}{'95 % interval':>20}{'out of fold':>14}"]
    for variant in VARIANTS:
        row = holdout.get(variant)
        value = f"{row['ap']:.4f}" if row else "-"
        between = f"{row['low']:.4f} to {row['high']:.4f}" if row and row["low"] is not None else "-"
        lines.append(f"{variant:<28}{value:>8}{between:>20}{tuned[variant]['ap']:>14.4f}")
    return "\n".join(lines)


def write_csv(path: Path, holdout: Json, tuned: Json) -> None:
    columns = ("variant", "images", "ap", "low", "high", "out_of_fold_images", "out_of_fold_ap")
    with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(columns)
        for variant in VARIANTS:
            row = holdout.get(variant, {"cases": "", "ap": None, "low": None, "high": None})
            shares = ["" if row[name] is None else f"{row[name]:.6f}" for name in ("ap", "low", "high")]
            rows.writerow([variant, row["cases"], *shares, tuned[variant]["cases"], f"{tuned[variant]['ap']:.6f}"])


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", type=Path, required=True, help="what fetch wrote")
    parser.add_argument("--tuned", type=Path, required=True, help="what tune wrote")
    parser.add_argument("--submissions", type=Path, required=True, help="folder with a CSV for each variant")
    parser.add_argument("--container", type=Path, required=True, help="folder with what the container wrote")
    parser.add_argument("--variant", choices=VARIANTS, required=True, help="which one the container writes")
    parser.add_argument("--output", type=Path, required=True, help=f"folder for card.json, results.json and {PICTURE}")
    args = parser.parse_args(argv)
    content, tuned = read_json(args.manifest), out_of_fold(tunings.read(args.tuned))
    ids = [entry["id"] for entry in content["test"]]
    files = {variant: valid(args.submissions / f"{variant}.csv", ids) for variant in VARIANTS}
    container = valid(args.container / SUBMISSION)
    told, every = agreement(files[args.variant], container, args.variant)
    truth = truth_of(content)
    holdout = scored(truth, files) if truth else {}
    metrics = {"holdout_ap": holdout} if truth else {"out_of_fold_ap": tuned}
    notes = [DEMO if truth else BARE, told]
    images = {entry["id"]: Path(content["root"]) / entry["image"] for entry in content["test"]}
    with replacing_tree(args.output) as folder:
        overlay.draw(folder / PICTURE, images, files[args.variant].rows, truth.rows if truth else None)
        named = CAPTION.format(variant=args.variant, truth=" and the true salt" if truth else "")
        # Not sorted: the variants come in the order of the pipeline.
        made = card(metrics, notes, [{"file": PICTURE, "caption": named}])
        write_text(folder / "card.json", json.dumps(made, indent=2, allow_nan=False) + "\n")
        graded = {variant: results(truth, reading) for variant, reading in files.items()} if truth else {}
        shown = {variant: {name: one[name] for name in PARTS} for variant, one in graded.items()}
        write_json(folder / "results.json", {"schema": 1, "variants": shown, "container": {"agrees": every}})
        write_csv(folder / "variants.csv", holdout, tuned)
    print(table(holdout, tuned))
    print(told if every else f"note: {told}", file=sys.stdout if every else sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
