"""Make sure that the salt competition's data are there and sound, and write down what they are.

    python -m workflow.scripts.salt.fetch --source demo --demo '{"train": 400, "test": 100}' \\
        --scratch scratch/salt/raw --manifest scratch/salt/raw/manifest.json

`--source` is `demo` (synthetic, made below --scratch), `remote` (Kaggle), or a folder with what Kaggle gives, zipped or
unpacked; zips are unpacked below --scratch.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from containers.kit.errors import reports_errors
from containers.kit.files import hash_of
from containers.kit.settings import parse
from workflow.scripts.salt import source
from workflow.scripts.salt.dataset import WHOLE, Case, Competition, read
from workflow.scripts.salt.demo_images import Demo
from workflow.scripts.slipway import fetching


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
    parser = fetching.flags(__doc__, "salt", "a folder with Kaggle's files or zips")
    args = parser.parse_args(argv)
    kind, places = fetching.located(
        args,
        lambda: source.demo(parse(Demo, args.demo, "demo"), args.scratch, args.workers),
        lambda: source.remote(fetching.row(args), args.accept, args.scratch, args.workers),
        lambda path: source.folder(path, fetching.row(args), args.scratch, args.workers),
    )
    found = read(places, args.workers)
    for note in found.notes:
        print(f"warning: {note}", file=sys.stderr)
    fetching.record(args.manifest, manifest(kind, found))
    print(f"{found.root}: {counted(found)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
