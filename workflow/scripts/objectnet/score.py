"""Score what each container wrote, by the organisers' rules: their JSON, a table, a card and a picture.

    python -m workflow.scripts.objectnet.score --cases scratch/objectnet/raw/cases.json \\
        --predictions torch=results/objectnet/torch/output --output results/objectnet/score
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError, listed, reports_errors
from containers.kit.files import read_json, replacing_tree, write_json, write_text
from containers.objectnet.grammar import GUESSES, Reading, grouped, missing, read
from containers.objectnet.labels import LABELS
from containers.objectnet.mapping import OVERLAP
from containers.objectnet.outputs import FILE
from workflow.scripts.objectnet.mosaic import draw, found, pick
from workflow.scripts.objectnet.release import KNOWN, WHOLE
from workflow.scripts.objectnet.results import overlap, results, score
from workflow.scripts.slipway.intervals import wilson

Json = dict[str, Any]
PICTURE = "mosaic.png"
CAPTION = "Some of the images: what they show, and below it what the {name} container took them for first."
PARTS = {"all objects": lambda answers: answers, f"the {len(OVERLAP)} of ImageNet": overlap}
DEMO = (
    "These images are variants of photos that packages carry, and the network was chosen by some of the same photos: "
    "the score shows that all parts work together, and says nothing about ObjectNet."
)
BARE = "These images have no answers, so nothing is scored; set challenges.objectnet.answers if there are any."


def measures(reading: Reading, answers: Mapping[str, int]) -> Json:
    """What the report shows of one container."""
    found_in = {title: score(reading.rows, part(answers)) for title, part in PARTS.items()}
    shown = {}
    for title, one in found_in.items():
        for measure, right in (("top-1", one.top1), ("top-5", one.top5)):
            low, high = wilson(right, one.total)
            share = right / one.total if one.total else None
            shown[f"{measure}, {title}"] = {"accuracy": share, "low": low, "high": high, "cases": one.total}
    return shown


def card(readings: Mapping[str, Reading], answers: Mapping[str, int], kind: str, pictures: Sequence[Json]) -> Json:
    """What the report page shows of the score."""
    metrics = {f"objectnet_{name}": measures(reading, answers) for name, reading in readings.items()}
    notes = [DEMO] if kind == "demo" else []
    if answers:
        share = len(overlap(answers)) / len(answers)
        notes.append(
            f"Of ObjectNet's {len(LABELS)} objects a network with ImageNet's classes knows {len(OVERLAP)}: of these "
            f"images it can get {100 * share:.1f} % right at most, and {100 * KNOWN / WHOLE:.1f} % of the release."
        )
    for name, reading in readings.items():
        said = grouped([*missing(list(answers), reading), *reading.warnings])
        notes += [f"{name}: {sentence}." for sentence in said.values()]
    notes += [agreement(names, readings) for names in pairwise(readings)]
    return {
        "schema": 1,
        "challenge": "objectnet",
        "metrics": metrics,
        "notes": notes,
        "pictures": list(pictures),
    }


def agreement(names: tuple[str, str], readings: Mapping[str, Reading]) -> str:
    """How often two containers name the same five objects."""
    first, second = (readings[name].rows for name in names)
    both = [(first[name].guesses[:GUESSES], second[name].guesses[:GUESSES]) for name in first if name in second]
    same = sum(one == other for one, other in both)
    unordered = sum(sorted(one) == sorted(other) for one, other in both)
    return (
        f"{names[0]} and {names[1]} give the same five objects for {unordered:,} of {len(both):,} images, "
        f"and for {same:,} in the same order."
    )


def table(metrics: Mapping[str, Json]) -> str:
    lines = [f"{'container':<12}{'measure':<30}{'%':>7}{'95 % interval':>18}{'images':>9}"]
    for group, rows in metrics.items():
        for measure, row in rows.items():
            empty = row["accuracy"] is None
            value = "-" if empty else f"{100 * row['accuracy']:.2f}"
            bounds = "-" if empty else f"{100 * row['low']:.2f} to {100 * row['high']:.2f}"
            name = group.removeprefix("objectnet_")
            lines.append(f"{name:<12}{measure:<30}{value:>7}{bounds:>18}{row['cases']:>9,}")
    return "\n".join(lines)


def folders(words: Sequence[str]) -> dict[str, Path]:
    named: dict[str, Path] = {}
    for word in words:
        name, _, folder = word.partition("=")
        if not re.fullmatch("[a-z][a-z0-9_]*", name) or not folder or name in named:
            raise UserError(f"--predictions {word} is not NAME=FOLDER with a name of its own; write torch=FOLDER, say")
        named[name] = Path(folder)
    return named


def _reading(name: str, folder: Path, answers: Mapping[str, int]) -> Reading:
    reading = read(folder / FILE, answers)
    if reading.errors:
        said = listed(list(grouped(reading.errors).values()), "; ")
        raise UserError(f"{folder / FILE} of {name} is not valid: {said}; run the container's test again")
    return reading


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=Path, required=True, help="what the containers were given, and the answers")
    parser.add_argument("--predictions", nargs="+", required=True, metavar="NAME=FOLDER", help="what each one wrote")
    parser.add_argument("--output", type=Path, required=True, help=f"folder for the results, card.json and {PICTURE}")
    args = parser.parse_args(argv)
    content = read_json(args.cases)
    answers, kind = content["answers"], content.get("source", "")
    given = folders(args.predictions)
    readings = {name: _reading(name, folder, answers) for name, folder in given.items()} if answers else {}
    with replacing_tree(args.output) as folder:
        pictures = []
        if answers:
            images = found(Path(content["root"]), pick(answers))
            first = next(iter(readings))
            if images:
                draw(folder / PICTURE, images, answers, readings[first].rows)
                pictures.append({"file": PICTURE, "caption": CAPTION.format(name=first)})
        for name, reading in readings.items():
            write_json(folder / f"{name}.json", results(reading, answers))
            write_json(folder / f"{name}-overlap.json", results(reading, overlap(answers)))
        made = card(readings, answers, kind, pictures)
        if not answers:
            made["notes"].append(BARE)
        # Not sorted: the headline comes first.
        write_text(folder / "card.json", json.dumps(made, indent=2, allow_nan=False) + "\n")
    for note in made["notes"]:
        print(f"note: {note}", file=sys.stderr)
    if answers:
        print(table(made["metrics"]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
