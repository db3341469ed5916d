"""Say which images the container is tried on, and where: the folder that it gets as /input, and their answers.

    python -m workflow.scripts.objectnet.cases --manifest scratch/objectnet/raw/manifest.json --most 100 \\
        --folder scratch/objectnet/cases --output scratch/objectnet/raw/cases.json

All images are used where they lie; a choice of them is linked, or copied where that cannot be, into --folder.
"""

from __future__ import annotations

import argparse
import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError, reports_errors
from containers.kit.files import read_json, write_json
from containers.kit.progress import bar
from containers.objectnet.mapping import OVERLAP
from workflow.scripts.slipway.trees import emptied, link


def choose(files: Sequence[str], answers: Mapping[str, int], most: int, seed: str) -> list[str]:
    """At most so many of the images that can be scored; those that ImageNet knows, and others, have their share."""
    usable = [file for file in files if not answers or _name(file) in answers]
    if not 0 < most < len(usable):
        return usable
    known = [file for file in usable if answers.get(_name(file)) in OVERLAP]
    others = [file for file in usable if answers.get(_name(file)) not in OVERLAP]
    share = round(most * len(known) / len(usable))
    if most > 1 and known and others:
        share = min(max(share, 1), most - 1)
    chosen = {*_drawn(known, share, seed), *_drawn(others, most - share, seed)}
    return [file for file in usable if file in chosen]


def _drawn(files: Sequence[str], count: int, seed: str) -> list[str]:
    return sorted(files, key=lambda file: hashlib.sha256(f"{seed}/{_name(file)}".encode()).digest())[:count]


def _name(file: str) -> str:
    return file.rpartition("/")[2]


def alone(root: Path, files: Sequence[str]) -> bool:
    """Whether the folder holds these files themselves and nothing else: answers, say, are not the container's to see.

    A link would lead nowhere in the container, which has this folder alone.
    """
    there = []
    for base, folders, names in os.walk(root):
        if any(Path(base, name).is_symlink() for name in (*folders, *names)):
            return False
        there += names
    return len(there) == len(files) and all(name.endswith(".png") for name in there)


def lay_out(root: Path, files: Sequence[str], folder: Path) -> None:
    """Have these images, and no others, side by side in `folder`."""
    emptied(folder, ".png")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in bar(files, title="cases"):
            link((root / file).resolve(), folder / _name(file))
    except OSError as error:
        named = error.filename or folder
        raise UserError(f"{named} cannot be laid out in {folder} ({error.strerror}); fetch the data again") from None


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", type=Path, required=True, help="manifest of the images")
    parser.add_argument("--most", type=int, default=0, help="how many images at most; 0 means all")
    parser.add_argument("--folder", type=Path, required=True, help="folder for a choice of images; it is emptied")
    parser.add_argument("--output", type=Path, required=True, help="where the images lie, and what they show")
    args = parser.parse_args(argv)
    if args.most < 0:
        raise UserError(f"--most is {args.most}; give a number of images, or 0 for all")
    content: Mapping[str, Any] = read_json(args.manifest)
    root, answers = Path(content["root"]), content["answers"]
    files = [entry["file"] for entry in content["images"]]
    missing = next((file for file in files if not (root / file).is_file()), None)
    if missing:
        raise UserError(f"{root / missing} is not there any more; fetch the data again")
    folder = args.folder.resolve()
    if folder == root.resolve() or folder in root.resolve().parents or root.resolve() in folder.parents:
        raise UserError(f"--folder {args.folder} is emptied, and {root} with the images shares it; name another folder")
    chosen = choose(files, answers, args.most, content["fingerprint"])
    in_place = len(chosen) == len(files) and alone(root, files)
    if not in_place:
        lay_out(root, chosen, folder)
    of_these = {_name(file): answers[_name(file)] for file in chosen} if answers else {}
    facts = {"schema": 1, "source": content["source"], "root": str(root if in_place else folder)}
    write_json(args.output, {**facts, "images": len(chosen), "answers": of_these})
    where = f"{root} (where they were)" if in_place else f"{folder}"
    print(f"{len(chosen):,} of {len(files):,} images in {where} are what the container is tried on")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
