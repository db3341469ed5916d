"""Lay out images of the test as the container finds them: <id>.png side by side, and depths.csv where it takes depths.

    python -m workflow.scripts.salt.cases --manifest scratch/salt/raw/manifest.json --most 100 --depth \\
        --folder scratch/salt/cases --output scratch/salt/raw/cases.json
"""

from __future__ import annotations

import argparse
import csv
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError, reports_errors
from containers.kit.files import read_json, replacing, write_json
from containers.kit.progress import bar
from containers.salt.places import DEPTHS, SUFFIX
from workflow.scripts.slipway.trees import emptied, link

Entry = Mapping[str, Any]


def choose(entries: Sequence[Entry], most: int, seed: str) -> list[Entry]:
    """At most so many, drawn by their names: equal data give an equal choice."""
    if not 0 < most < len(entries):
        return list(entries)
    drawn = sorted(entries, key=lambda one: hashlib.sha256(f"{seed}/{one['id']}".encode()).digest())[:most]
    return sorted(drawn, key=lambda one: str(one["id"]))


def lay_out(root: Path, entries: Sequence[Entry], depth: bool, folder: Path) -> None:
    """Have these images, and no others, in `folder`; linked, or copied where that cannot be."""
    emptied(folder, SUFFIX, also=[DEPTHS])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for entry in bar(entries, title="cases"):
            link((root / entry["image"]).resolve(), folder / f"{entry['id']}{SUFFIX}")
        if depth:
            write_depths(folder / DEPTHS, entries)
    except OSError as error:
        named = error.filename or folder
        raise UserError(f"{named} cannot be laid out in {folder} ({error.strerror}); fetch the data again") from None


def write_depths(path: Path, entries: Sequence[Entry]) -> None:
    """As the competition has them; an image without a depth has no row."""
    with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("id", "z"))
        writer.writerows((entry["id"], entry["z"]) for entry in entries if entry["z"] is not None)


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", type=Path, required=True, help="what fetch wrote")
    parser.add_argument("--most", type=int, default=0, help="how many images at most; 0 means all")
    parser.add_argument("--depth", action="store_true", help=f"write {DEPTHS}, for networks that take depths")
    parser.add_argument("--folder", type=Path, required=True, help="folder that becomes /input; it is emptied")
    parser.add_argument("--output", type=Path, required=True, help="where the images lie, and which they are")
    args = parser.parse_args(argv)
    if args.most < 0:
        raise UserError(f"--most is {args.most}; give a number of images, or 0 for all")
    content: Mapping[str, Any] = read_json(args.manifest)
    root, folder = Path(content["root"]).resolve(), args.folder.resolve()
    if folder == root or folder in root.parents or root in folder.parents:
        raise UserError(f"--folder {args.folder} is emptied, and {root} with the images shares it; name another folder")
    chosen = choose(content["test"], args.most, content["fingerprint"])
    lay_out(root, chosen, args.depth, folder)
    write_json(args.output, {"schema": 1, "root": str(folder), "ids": [entry["id"] for entry in chosen]})
    beside = f" and {DEPTHS}" if args.depth else ""
    print(f"{len(chosen):,} of {len(content['test']):,} images{beside} in {folder} are what the container is tried on")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
