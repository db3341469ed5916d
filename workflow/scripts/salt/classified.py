"""Gather what the classifiers say of the images that they did not learn from: which of them have salt.

    python -m workflow.scripts.salt.classified --packed scratch/salt/packed \\
        --folds scratch/salt/folds/classifier_* --output results/salt/oof/classifier.csv

The segmentation learns from the images that are kept here.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from containers.kit.errors import UserError, listed, reports_errors
from workflow.scripts.salt import oof, packed
from workflow.scripts.salt.classify import auc
from workflow.scripts.salt.oof import OutOfFold
from workflow.scripts.salt.packed import Packed


def told(images: Packed, found: OutOfFold) -> str:
    """For people."""
    salt, kept = images.salt, found.kept
    area = auc(salt, found.logits)
    return (
        f"{len(salt):,} images, classified by networks that did not learn from them: accuracy "
        f"{(kept == salt).mean():.4f}" + (f", AUC {area:.4f}" if area is not None else "") + f"; {kept.sum():,} kept, "
        f"{(salt & ~kept).sum():,} of {salt.sum():,} with salt lost"
    )


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packed", type=Path, required=True, help="folder that pack wrote")
    parser.add_argument("--folds", type=Path, nargs="+", required=True, help="folders that classify wrote, all folds'")
    parser.add_argument("--output", type=Path, required=True, help="CSV file with a row for each image")
    args = parser.parse_args(argv)
    images = packed.read(args.packed)
    judged = oof.judged(args.folds, "classifier", images)
    missing = sorted(set(range(images.number)) - set(judged.folds))
    if missing:
        raise UserError(f"--folds lacks fold {listed([str(fold) for fold in missing])} of {images.number}; give all")
    print(told(images, oof.write(args.output, images, judged.logits)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
