"""Put together what prediction needs: networks, what was tuned, and the model card; verified, as a whole.

    python -m workflow.scripts.salt.artifact --packed scratch/salt/packed --tuned scratch/salt/tuned.json \\
        --classifier scratch/salt/classifier/fold_0 scratch/salt/classifier/fold_1 \\
        --segmentation scratch/salt/segmentation/fold_0 --output results/salt/artifact
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from containers.kit.cpus import limit_threads
from containers.kit.errors import UserError, reports_errors
from containers.kit.files import replacing, replacing_tree, write_json, write_text
from containers.salt import model
from workflow.scripts.salt import bootstrap, card, out_of_fold, packed, trained
from workflow.scripts.salt import tuned as tunings
from workflow.scripts.salt.trained import Fold
from workflow.scripts.slipway.revision import revision

CARD, CARD_TEXT = "card.json", "card.md"
ROOT = Path(__file__).parents[3]


def assemble(folder: Path, found: Mapping[str, Sequence[Fold]], chosen: Mapping[str, Any]) -> None:
    """Fill a folder with a model of these folds, by kind; `chosen` is what was tuned."""
    described: dict[str, Any] = {}
    for kind, folds in found.items():
        first, files = folds[0].said, []
        for fold in folds:
            for snapshot in fold.said["snapshots"]:
                source = model.verified(fold.folder, snapshot)
                name = f"{kind}/fold_{fold.number}_epoch_{snapshot['epoch']}{source.suffix}"
                with replacing(folder / name) as partial:
                    shutil.copyfile(source, partial)
                files.append({"file": name, "sha256": snapshot["sha256"], "fold": fold.number})
        described[kind] = {"model": first["model"], "model_args": first["model_args"], "files": files}
    inputs = [folds[0].said["inputs"] for folds in found.values()]
    if inputs[0] != inputs[1]:
        raise UserError("--classifier and --segmentation were trained on other inputs; train both alike")
    facts = {"schema": 1, "challenge": "salt", "inputs": inputs[0], "choices": chosen}
    write_json(folder / model.DESCRIPTION, {**facts, **described})


def verify(folder: Path) -> model.Model:
    """Refuse a model that the container could not use, by the container's own code."""
    found = model.load(folder, torch.device("cpu"))  # compares each file with its SHA-256
    for kind, networks in (("classifier", found.classifiers), ("segmentation", found.segmenters)):
        for network in networks:
            for name, value in network.state_dict().items():
                if not torch.isfinite(value).all():
                    raise UserError(f"--{kind} has weights {name} that are not finite; train again with a lower lr")
    return found


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--classifier", type=Path, nargs="+", required=True, help="folders of the classifier's folds")
    parser.add_argument("--segmentation", type=Path, nargs="+", required=True, help="folders of the segmentation's")
    parser.add_argument("--tuned", type=Path, required=True, help="what tune wrote")
    parser.add_argument("--packed", type=Path, required=True, help="the images that it was trained and tuned on")
    parser.add_argument("--output", type=Path, required=True, help="folder to replace with the model")
    args = parser.parse_args(argv)
    limit_threads()
    images, tuned = packed.read(args.packed), tunings.read(args.tuned)
    found = {
        "classifier": trained.folds(args.classifier, "classifier"),
        "segmentation": trained.folds(args.segmentation, "segmentation"),
    }
    scores = out_of_fold.scores(images, args.classifier, args.segmentation, tuned.choices)
    out_of_fold.compare(scores, tuned)
    with replacing_tree(args.output) as folder:
        assemble(folder, found, tuned.chosen)
        made = card.make(images, found, tuned, bootstrap.measures(scores), verify(folder), revision(ROOT))
        # Not sorted: the variants come in the order of the pipeline.
        write_text(folder / CARD, json.dumps(made, indent=2, allow_nan=False) + "\n")
        write_text(folder / CARD_TEXT, card.text(made))
    best = made["metrics"][card.GROUP]["both_post_processing"]["ap"]
    counts = ", ".join(f"{len(folds)} folds of the {kind}" for kind, folds in found.items())
    print(f"{args.output}: {counts}, verified; out-of-fold mean AP {best:.4f} (both_post_processing)")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
