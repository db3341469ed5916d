"""Make sure that the salt competition's data are there and sound, and write down what they are.

    python -m workflow.scripts.salt.fetch --source demo --demo '{"train": 400, "test": 100}' \\
        --scratch scratch/salt/raw --manifest scratch/salt/raw/manifest.json

`--source` is `demo` (synthetic, made below --scratch), `remote` (Kaggle), or a folder with what Kaggle gives, zipped or
unpacked; zips are unpacked below --scratch.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError, reports_errors
from containers.kit.files import hash_of, write_json
from containers.kit.settings import parse
from workflow.scripts.salt import source
from workflow.scripts.salt.dataset import Case, Competition, read
from workflow.scripts.salt.demo_images import Demo

WHOLE = (4_000, 18_000)  # images to learn from and to be judged by


def locate(choice: str, demo: Demo, scratch: Path, workers: int) -> tuple[str, tuple[Path, ...]]:
    """The kind of the source, and the folders to look in."""
    if choice == "demo":
        return "demo", source.demo(demo, scratch, workers)
    if choice == "remote":
        return "remote", source.remote()
    return "folder", source.folder(Path(choice), scratch)


def manifest(kind: str, found: Competition) -> dict[str, Any]:
    """What is there; the stages that follow need nothing else."""
    # By sizes, so that it holds for a copy and 22,000 images are not read through for this.
    marks = [[case.id, case.size, case.rle, case.z] for case in (*found.train, *found.test)]
    facts = {"schema": 1, "source": kind, "root": str(found.root), "fingerprint": hash_of([len(found.train), marks])}
    train = [_entry(case, "id", "image", "mask", "rle", "z", "coverage") for case in found.train]
    return {**facts, "train": train, "test": [_entry(case, "id", "image", "z") for case in found.test]}


def _entry(case: Case, *keys: str) -> dict[str, Any]:
    values = asdict(case)
    return {key: values[key] for key in keys}


def counted(found: Competition) -> str:
    """What is there, for people."""
    train, test = len(found.train), len(found.test)
    shares = [case.coverage or 0.0 for case in found.train]
    whole = "" if (train, test) == WHOLE else f" (the competition has {WHOLE[0]:,} and {WHOLE[1]:,})"
    told = f"{shares.count(0.0):,} have no salt, {shares.count(1.0):,} nothing else"
    salt = f"{sum(shares) / train:.1%} of all is salt"
    return f"{train:,} images with masks and {test:,} for the test{whole}; {told}, and {salt}"


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", required=True, help="demo, remote, or a folder with Kaggle's files or zips")
    parser.add_argument("--demo", default="{}", help="the section salt.demo as JSON, or @file")
    parser.add_argument("--scratch", type=Path, required=True, help="folder for what is made or unpacked")
    parser.add_argument("--manifest", type=Path, required=True, help="what is there, as JSON")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0 means one a CPU")
    args = parser.parse_args(argv)
    kind, places = locate(args.source, parse(Demo, args.demo, "demo"), args.scratch, args.workers)
    found = read(places, args.workers)
    for note in found.notes:
        print(f"warning: {note}", file=sys.stderr)
    try:
        write_json(args.manifest, manifest(kind, found))
    except OSError as error:
        raise UserError(f"{args.manifest} cannot be written ({error.strerror}); make room there") from None
    print(f"{found.root}: {counted(found)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
