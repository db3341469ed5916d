"""Bring every case to the plan's grid with nnU-Net's preprocessor; killed and started again it does what is missing.

    python -m workflow.scripts.amos.preprocess --plan-folder scratch/amos/plan --configuration 3d_fullres \\
        --manifest scratch/amos/raw/manifest.json --scratch scratch/amos --output scratch/amos/preprocessed.json

The cases lie below --scratch in a folder named by all that they depend on, so that a plan which differs only in its
network, patch or batch finds them again.
"""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError, reports_errors
from containers.kit.files import hash_of, read_json, write_json
from containers.kit.pool import each
from workflow.scripts.amos import nnunet, plan, samples
from workflow.scripts.amos.samples import Sample

PARTS = (".b2nd", "_seg.b2nd", ".pkl")  # the last one to be put in its place says that a case is complete
GLOBAL = ("transpose_forward", "image_reader_writer", "foreground_intensity_properties_per_channel")
LOCAL = ("spacing", "normalization_schemes", "use_mask_for_norm", "preprocessor_name", "resampling_fn_data",
         "resampling_fn_data_kwargs", "resampling_fn_seg", "resampling_fn_seg_kwargs")  # fmt: skip


@dataclass(frozen=True)
class Job:
    """What a process needs to know to preprocess a case."""

    plans: dict[str, Any]
    configuration: str
    dataset: dict[str, Any]
    folder: Path


def key(plans: dict[str, Any], configuration: str, fingerprint: str) -> str:
    """Names the data and the part of the plans that decides what a preprocessed case looks like."""
    chosen = plans["configurations"][configuration]
    decisive = {name: plans[name] for name in GLOBAL} | {name: chosen[name] for name in LOCAL}
    return hash_of([1, fingerprint, nnunet.versions()["nnunetv2"], decisive])


def preprocess(job: Job, cases: Sequence[Sample], workers: int) -> None:
    """Every case that is not there yet; all are tried before the first that fails is named."""
    shutil.rmtree(_partial(job), ignore_errors=True)  # what a killed run left
    job.folder.mkdir(parents=True, exist_ok=True)
    missing = [case for case in cases if not (job.folder / f"{case.id}{PARTS[-1]}").is_file()]
    if len(missing) < len(cases):
        print(f"{len(cases) - len(missing)} of {len(cases)} cases are there already", flush=True)
    results = each(partial(one, job), missing, workers=workers, title="preprocess") if missing else []
    shutil.rmtree(_partial(job), ignore_errors=True)
    bad = [result for result in results if isinstance(result, UserError)]
    if bad:
        more = f" (and {len(bad) - 1} more cases failed)" if len(bad) > 1 else ""
        raise UserError(f"{bad[0]}{more}")


def one(job: Job, case: Sample) -> None:
    """Preprocess a case aside, then put its files in their place."""
    from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    aside = _partial(job) / f"{case.id}.{os.getpid()}"
    aside.mkdir(parents=True)
    plans = PlansManager(job.plans)
    configuration = plans.get_configuration(job.configuration)
    try:
        DefaultPreprocessor(verbose=False).run_case_save(
            str(aside / case.id), [str(case.image)], str(case.label), plans, configuration, job.dataset
        )
    except Exception as error:  # whatever it is, the case is to be named, and the others go on
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"{case.image} cannot be preprocessed ({reason}); fetch it and its label again") from error
    for part in PARTS:
        done = aside / f"{case.id}{part}"
        with done.open("rb") as stream:
            os.fsync(stream.fileno())
        done.replace(job.folder / done.name)
    aside.rmdir()


def _partial(job: Job) -> Path:
    """On the same disk, but not in the folder, where nnU-Net takes every file for one of a case."""
    return job.folder.with_name(f"{job.folder.name}.partial")


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plan-folder", type=Path, required=True, help="what plan wrote")
    parser.add_argument("--configuration", required=True, help="3d_fullres or 3d_lowres, as it was planned")
    parser.add_argument("--manifest", type=Path, required=True, help="what fetch wrote")
    parser.add_argument("--scratch", type=Path, required=True, help="folder for the preprocessed cases")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0 means one a CPU")
    parser.add_argument("--output", type=Path, required=True, help="where the cases are, as JSON")
    args = parser.parse_args(argv)
    record = plan.read(args.plan_folder)
    dataset, plans = (read_json(args.plan_folder / name) for name in ("dataset.json", "plans.json"))
    if args.configuration not in plans["configurations"]:
        raise UserError(f"--configuration {args.configuration} is not in {args.plan_folder}/plans.json; plan it first")
    known = samples.read(args.manifest, record["task"], "train").named
    cases = [known[case] for case in record["modalities"] if case in known]
    if len(cases) < len(record["modalities"]) or record["fingerprint"] != read_json(args.manifest)["fingerprint"]:
        raise UserError(f"{args.manifest} lists other data than {args.plan_folder} was made of; plan again")
    nnunet.workspace(args.scratch / "nnunet")
    name = key(plans, args.configuration, record["fingerprint"])
    folder = (args.scratch / "cases" / name).absolute()
    preprocess(Job(plans, args.configuration, dataset, folder), cases, args.workers)
    others = sorted(path.name for path in folder.parent.iterdir() if path != folder)
    if others:
        nnunet.note(
            f"{folder.parent} also holds {', '.join(others)}, of other plans or data; delete what you do not need"
        )
    content = {"schema": 1, "folder": str(folder), "cases": [case.id for case in cases], "fingerprint": name}
    write_json(args.output, content)
    print(f"{len(cases)} cases in {folder}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
