"""Let nnU-Net look at the data and plan: the grid, the network, the batches; and split the cases into folds.

    python -m workflow.scripts.amos.plan --manifest scratch/amos/raw/manifest.json --task 1 \\
        --plan '{"planner": "default"}' --train '{"folds": 5}' --scratch scratch/amos --output scratch/amos/plan

The images are not copied. Of --train, only validation, folds, seed, network and network_args matter here.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from containers.amos import network
from containers.amos import plan as shipped
from containers.amos.settings import Plan, Train
from containers.kit import cpus
from containers.kit.errors import UserError, reports_errors
from containers.kit.files import hash_of, read_json, replacing_tree, write_json
from containers.kit.settings import parse
from workflow.scripts.amos import folds, nnunet, own, samples
from workflow.scripts.amos.samples import Samples

RECORD, SPLITS = "plan.json", "splits_final.json"


def fingerprint(found: Samples, scratch: Path, workers: int) -> dict[str, Any]:
    """Of the data; kept, since to read every case takes long and another plan of the same data needs the same."""
    from workflow.scripts.amos import examine

    key = hash_of([found.fingerprint, [sample.id for sample in found.used], nnunet.versions()["nnunetv2"]])
    kept = scratch / "fingerprints" / f"{key}.json"
    if not kept.is_file():
        write_json(kept, examine.fingerprint(found.used, workers))
    content: dict[str, Any] = read_json(kept)
    return content


def make(found: Samples, task: int, told: Plan, train: Train, scratch: Path, workers: int) -> dict[str, Any]:
    """The files of the plan by their names."""
    splits, thin = folds.split({sample.id: sample.modality for sample in found.used}, train.folds, train.seed)
    described, data = nnunet.dataset_json(task, found.used), fingerprint(found, scratch, workers)
    with tempfile.TemporaryDirectory(prefix="planning.", dir=scratch) as temporary:
        place = nnunet.workspace(Path(temporary))
        write_json(place / "raw" / nnunet.DATASETS[task] / "dataset.json", described)
        write_json(place / "preprocessed" / nnunet.DATASETS[task] / "dataset_fingerprint.json", data)
        from workflow.scripts.amos import planner

        with nnunet.chatter_to(scratch / "logs" / "plan.txt"):
            plans, otherwise = planner.plan(nnunet.DATASETS[task], told)
    configuration = plans["configurations"].get(told.configuration)
    if configuration is None:
        raise UserError(
            f"plan.configuration is {told.configuration}, which nnU-Net does not plan for these data, since a patch of "
            "the full resolution sees enough of a scan; set it to 3d_fullres"
        )
    if train.network != "nnunet":
        own.put(configuration, train)
    # What the image could not predict with must not be trained for days.
    with torch.device("meta"):
        network.build(shipped.read(plans, described, told.configuration, "the plan"))
    record = {
        "schema": 1,
        "challenge": "amos",
        "task": task,
        "configuration": told.configuration,
        "fingerprint": found.fingerprint,
        "modalities": {sample.id: sample.modality for sample in found.used},
        "holdout": found.held,
        "plan": asdict(told),
        "network": {"network": train.network, "network_args": train.network_args},
        "key": hash_of([_of_network(plans, told.configuration), splits, found.fingerprint]),
        "notes": [*otherwise, *thin],
        "versions": nnunet.versions(),
    }
    return {
        "dataset.json": described,
        "dataset_fingerprint.json": data,
        "plans.json": plans,
        SPLITS: splits,
        RECORD: record,
    }


def read(folder: Path) -> dict[str, Any]:
    """plan.json of a folder that this command wrote."""
    record = read_json(folder / RECORD)
    if not isinstance(record, dict) or record.get("challenge") != "amos" or record.get("schema") != 1:
        raise UserError(f"{folder / RECORD} does not describe a plan of AMOS; run the rule that makes it")
    return record


def _of_network(plans: dict[str, Any], configuration: str) -> dict[str, Any]:
    """The part of the plans that a training depends on."""
    return {**{name: value for name, value in plans.items() if name != "configurations"},
            "configuration": plans["configurations"][configuration]}  # fmt: skip


def tell(files: dict[str, Any]) -> str:
    record, plans = files[RECORD], files["plans.json"]
    chosen = plans["configurations"][record["configuration"]]
    architecture = chosen["architecture"]
    kind, kwargs = architecture["network_class_name"].rpartition(".")[2], architecture["arch_kwargs"]
    features = kwargs.get("features_per_stage")
    return (
        f"{record['configuration']}: {kind}, patch {' x '.join(map(str, chosen['patch_size']))} of "
        f"{' x '.join(f'{side:.3g}' for side in chosen['spacing'])} mm, batch {chosen['batch_size']}"
        + (f", features {' '.join(map(str, features))}" if features else "")
        + f"; {len(record['modalities'])} cases in {len(files[SPLITS])} folds"
    )


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", type=Path, required=True, help="what fetch wrote")
    parser.add_argument("--task", type=int, choices=(1, 2), required=True, help="1 is CT alone, 2 is CT and MR")
    parser.add_argument("--plan", default="{}", help="the section amos.plan as JSON, or @file")
    parser.add_argument("--train", default="{}", help="the section amos.train as JSON, or @file")
    parser.add_argument("--scratch", type=Path, required=True, help="folder for what nnU-Net works with")
    parser.add_argument("--output", type=Path, required=True, help="folder to replace with the plan")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0 means one a CPU")
    args = parser.parse_args(argv)
    told, train = parse(Plan, args.plan, "plan"), parse(Train, args.train, "train")
    cpus.limit_threads()
    args.scratch.mkdir(parents=True, exist_ok=True)
    nnunet.workspace(args.scratch / "nnunet")
    found = samples.read(args.manifest, args.task, train.validation)
    files = make(found, args.task, told, train, args.scratch, args.workers)
    with replacing_tree(args.output) as folder:
        for name, content in files.items():
            write_json(folder / name, content)
    print(tell(files), flush=True)
    for text in files[RECORD]["notes"]:
        nnunet.note(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
