"""Write down how good the container's model is: the score as the platform reads it, and the scores of each label.

    python -m workflow.scripts.agrigaia.score --verdict results/agrigaia/train/verdict.json \\
        --trained results/agrigaia/train/output --manifest scratch/agrigaia/raw/manifest.json \\
        --custom results/agrigaia/template/custom.json --output results/agrigaia/score
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError, reports_errors
from containers.kit.files import read_json, replacing, replacing_tree, write_text
from workflow.scripts.agrigaia import sheet, trained
from workflow.scripts.agrigaia.measures import THERE, groups, judged, table
from workflow.scripts.agrigaia.trained import SCORES, Trained

Json = Mapping[str, Any]
PICTURE = "sheet.png"
PLATFORM = "agrigaia_platform"
DEMO = "These fields are drawn: the score shows that all parts work together, and says nothing about real fields."


def platforms(verdict: Json) -> float | None:
    """What the test read from the log by the platform's rule, the last start's."""
    values = [(run.get("score") or {}).get("value") for run in verdict["runs"]]
    known = [float(value) for value in values if value is not None and math.isfinite(value)]
    return known[-1] if known else None


def compared(value: float | None, found: Trained) -> list[str]:
    """Whether the platform's score is the container's own; a note where not, or where there is none to compare."""
    if value is None:
        return ["The test read no score from the container's log, so the platform would show none."]
    own = found.scores["score"] if found.scores else None
    # A table with four decimals may round a last time otherwise than the number itself.
    if own is None or value in (round(own, 3), round(float(f"{own:.4f}"), 3)):
        return []
    return [
        f"The platform reads {value:.3f} from the log, where {SCORES} says {own:.4f}; mend what train.py prints last."
    ]


def notes_on(found: Trained, manifest: Json) -> list[str]:
    """What a reader of any score must know; for trainings on the host as well."""
    told = [DEMO] if manifest["source"] == "demo" else []
    if found.scores is not None:
        told.append(
            f"Judged by {judged(found)}, none of which was learnt from; but the best epoch was chosen by them, so that "
            "the score is a little too good."
        )
    return [*told, *found.notes]


def card(metrics: Json, notes: Sequence[str], found: Trained, pictures: Sequence[Json]) -> dict[str, Any]:
    """What the report page shows."""
    shown = {"metrics": metrics, "history": found.history, "notes": list(notes), "pictures": list(pictures)}
    return {"schema": 1, "challenge": "agrigaia", **shown}


def write_card(path: Path, content: Json) -> None:
    """Not sorted: groups and labels come in their order."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_table(path: Path, found: Trained) -> None:
    columns, lines = table(found)
    with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(columns)
        rows.writerows(lines)


def told(metrics: Json) -> str:
    """The card's figures, for the terminal."""
    rows = [(name, row) for measures in metrics.values() for name, row in measures.items()]
    width = max((len(name) for name, _ in rows), default=0)
    lines = [f"{'':{width}}   value      95 % interval    cases"]
    for name, row in rows:
        value = next(iter(row.values()))
        shown = "-" if value is None else f"{value:.3f}"
        between = "-" if row["low"] is None else f"{row['low']:.3f} to {row['high']:.3f}"
        cases = "-" if row["cases"] is None else f"{row['cases']:,}"
        lines.append(f"{name:{width}}{shown:>8}{between:>19}{cases:>9}")
    return "\n".join(lines)


def read(path: Path, *keys: str) -> dict[str, Any]:
    content = read_json(path)
    missing = [key for key in keys if not isinstance(content, dict) or key not in content]
    if missing:
        raise UserError(f"{path} has no '{missing[0]}'; run the rule that makes it")
    return dict(content)


def score_name(path: Path) -> str:
    name = read(path, "score_name")["score_name"]
    if not isinstance(name, str) or not name.strip():
        raise UserError(f"{path} has no words as score_name; give it those that the platform shows")
    return name.strip()


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--verdict", type=Path, required=True, help="what the test of the container found")
    parser.add_argument("--trained", type=Path, required=True, help="folder with what the container left in /train")
    parser.add_argument("--manifest", type=Path, required=True, help="what fetch wrote")
    parser.add_argument("--custom", type=Path, required=True, help="the architecture's custom.json")
    parser.add_argument("--output", type=Path, required=True, help=f"folder for card.json, scores.csv and {PICTURE}")
    args = parser.parse_args(argv)
    manifest = read(args.manifest, "source", "root", "pictures", "unannotated")
    verdict, name = read(args.verdict, "runs"), score_name(args.custom)
    found, value = trained.read(args.trained), platforms(verdict)
    cases = found.scores["judged"] if found.scores else None
    metrics = {PLATFORM: {name: {"score": value, "low": None, "high": None, "cases": cases}}, **groups(found, THERE)}
    notes = [*notes_on(found, manifest), *compared(value, found)]
    with replacing_tree(args.output) as folder:
        caption = sheet.draw(folder / PICTURE, found, manifest)
        pictures = [{"file": PICTURE, "caption": caption}] if caption else []
        write_card(folder / "card.json", card(metrics, notes, found, pictures))
        write_table(folder / "scores.csv", found)
    print(told(metrics))
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
