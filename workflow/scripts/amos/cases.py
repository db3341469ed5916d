"""Lay out the cases that no training saw as the container finds them: /workspace/input/<any name>.nii.gz.

Example: python -m workflow.scripts.amos.cases --manifest scratch/amos/raw/manifest.json --task 1 --most 4 \\
             --folder scratch/amos/cases --output scratch/amos/raw/cases.json
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
from collections.abc import Mapping, Sequence
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError, reports_errors
from containers.kit.files import read_json, replacing, write_json
from workflow.scripts.slipway.trees import emptied

Entry = Mapping[str, Any]


def choose(entries: Sequence[Entry], task: int, most: int, kept: bool = True) -> tuple[list[Entry], bool]:
    """At most so many labelled cases, CT and MR in turns, and whether they were held out of all training.

    `kept` says that the organisers' validation cases were: where they were trained on as well, none is held out.
    """
    labelled = [entry for entry in entries if entry["label"] and (task == 2 or entry["modality"] == "CT")]
    held_out = [entry for entry in labelled if entry["part"] == "validation"]
    found = held_out or [entry for entry in labelled if entry["part"] == "training"]
    kinds = [[entry for entry in found if entry["modality"] == kind] for kind in ("CT", "MR")]
    turns = [entry for entry in chain.from_iterable(zip_longest(*kinds)) if entry]
    return turns[: most or None], bool(held_out) and kept


def lay_out(content: Mapping[str, Any], chosen: Sequence[Entry], folder: Path) -> list[dict[str, Any]]:
    """Copy the chosen images into `folder`, under names that tell nothing, as on the organisers' machine."""
    emptied(folder, ".gz")
    root = Path(content["root"])
    cases = []
    for entry in chosen:
        name = hashlib.sha256(f"{content['fingerprint']}/{entry['id']}".encode()).hexdigest()[:12] + ".nii.gz"
        image = root / entry["image"]
        try:
            with replacing(folder / name) as partial:
                shutil.copyfile(image, partial)
        except OSError as error:
            raise UserError(f"{image} cannot be copied to {folder} ({error.strerror}); fetch the data again") from None
        facts = {"id": entry["id"], "modality": entry["modality"], "label": str(root / entry["label"])}
        cases.append({"file": name, **facts})
    return cases


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", type=Path, required=True, help="manifest of the data")
    parser.add_argument("--task", type=int, choices=(1, 2), required=True, help="1 is CT alone, 2 is CT and MR")
    parser.add_argument(
        "--validation", choices=("holdout", "train"), default="holdout", help="whether its cases were trained on, too"
    )
    parser.add_argument("--most", type=int, default=0, help="how many cases at most; 0 means all")
    parser.add_argument(
        "--folder", type=Path, required=True, help="folder that becomes /workspace/input; it is emptied"
    )
    parser.add_argument("--output", type=Path, required=True, help="what lies there, and where its labels are")
    args = parser.parse_args(argv)
    if args.most < 0:
        raise UserError(f"--most is {args.most}; give a number of cases, or 0 for all")
    content = read_json(args.manifest)
    if args.task > content["task"]:
        raise UserError(f"{args.manifest} was made for task {content['task']}; fetch the data for task {args.task}")
    chosen, held_out = choose(content["cases"], args.task, args.most, args.validation == "holdout")
    if not chosen:
        raise UserError(f"{args.manifest} has no labelled case of task {args.task}; fetch data with labels")
    cases = lay_out(content, chosen, args.folder)
    root = str(args.folder.resolve())
    write_json(args.output, {"schema": 1, "root": root, "held_out": held_out, "cases": cases})
    if not held_out:
        print("note: no labelled case was held out; the container is tried on training cases", file=sys.stderr)
    print(f"{len(cases)} cases in {args.folder} are what the container is tried on")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
