"""Put the training images and masks into two arrays that are fast to read, and spread the images over the folds.

    python -m workflow.scripts.salt.pack --manifest scratch/salt/raw/manifest.json \\
        --train '{"folds": 5, "seed": 2018}' --output scratch/salt/packed
"""

from __future__ import annotations

import argparse
import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from containers.kit.errors import UserError, reports_errors
from containers.kit.files import hash_of, read_json, replacing_tree, write_json
from containers.kit.pool import each
from containers.kit.settings import parse
from containers.salt.images import Unreadable, decode, decode_mask
from containers.salt.settings import Train
from workflow.scripts.salt.folds import folds
from workflow.scripts.salt.packed import CASES, IMAGES, MASKS, SCHEMA

Array = np.ndarray[Any, Any]
BATCH = 250  # images a piece of work


def pack(manifest: Path, train: Train, workers: int, output: Path) -> dict[str, Any]:
    """Write the folder `output`; return what its cases.json says."""
    content = read_json(manifest)
    try:
        root, cases = Path(content["root"]), sorted(content["train"], key=lambda case: str(case["id"]))
        coverages = [float(case["coverage"]) for case in cases]
        files = [(case["image"], case["mask"]) for case in cases]
        said = [{"id": case["id"], "z": case["z"], "coverage": case["coverage"]} for case in cases]
    except (KeyError, TypeError, ValueError):
        raise UserError(f"{manifest} is no manifest of the salt challenge; run the rule that fetches") from None
    numbers = folds(coverages, train.folds, train.seed)
    images, masks = read(root, files, workers)
    mean, std = spread([case["z"] for case in said])
    pixels = hashlib.sha256(images.tobytes() + masks.tobytes()).hexdigest()
    record = {
        "schema": SCHEMA,
        "fingerprint": hash_of([said, pixels]),
        "folds": train.folds,
        "seed": train.seed,
        "depth_mean": mean,
        "depth_std": std,
        "cases": [{**case, "fold": fold} for case, fold in zip(said, numbers, strict=True)],
    }
    try:
        with replacing_tree(output) as folder:
            np.save(folder / IMAGES, images)
            np.save(folder / MASKS, masks)
            write_json(folder / CASES, record)
    except OSError as error:
        raise UserError(f"{output} cannot be written ({error.strerror}); make room there") from None
    return record


def read(root: Path, files: Sequence[tuple[str, str]], workers: int) -> tuple[Array, Array]:
    """Images as bytes and masks as truth values, (n, 101, 101) each."""
    batches = [files[first : first + BATCH] for first in range(0, len(files), BATCH)]
    found = []
    for result in each(partial(_batch, root), batches, workers=workers, title="packing"):
        if isinstance(result, UserError):
            raise result
        found.append(result)
    return np.concatenate([images for images, _ in found]), np.concatenate([masks for _, masks in found])


def spread(depths: Sequence[float | None]) -> tuple[float, float]:
    """Mean and standard deviation of those that are known; 1 stands for no spread at all."""
    known = [depth for depth in depths if depth is not None]
    if not known:
        return 0.0, 1.0
    return float(np.mean(known)), float(np.std(known)) or 1.0


def counted(record: Mapping[str, Any]) -> str:
    """What was packed, for people."""
    cases = record["cases"]
    sizes = Counter(case["fold"] for case in cases)
    bare = sum(case["z"] is None for case in cases)
    without = f"; {bare:,} have no depth, and count as of the mean" if bare else ""
    return (
        f"{len(cases):,} images in {record['folds']} folds of {min(sizes.values()):,} to {max(sizes.values()):,}; "
        f"depth {record['depth_mean']:.4g} ± {record['depth_std']:.4g} feet{without}"
    )


def _batch(root: Path, files: Sequence[tuple[str, str]]) -> tuple[Array, Array]:
    images = np.stack([_decoded(decode, root / image) for image, _ in files])
    return images, np.stack([_decoded(decode_mask, root / mask) for _, mask in files])


def _decoded(how: Callable[[Path], Array], path: Path) -> Array:
    """By the reader that predicts, so that training sees the very same pixels."""
    try:
        return how(path)
    except Unreadable as error:
        raise UserError(f"{path} cannot be read as an image ({error}); fetch the data again") from None


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", type=Path, required=True, help="what fetch wrote")
    parser.add_argument("--train", default="{}", help="the section salt.train as JSON, or @file")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0 means one a CPU")
    parser.add_argument("--output", type=Path, required=True, help="folder to replace with the arrays")
    args = parser.parse_args(argv)
    print(counted(pack(args.manifest, parse(Train, args.train, "train"), args.workers, args.output)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
