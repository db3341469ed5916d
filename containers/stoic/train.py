"""Train the folds, judge them, and write the artifact; killed and started again it goes on where it was.

    python -m containers.stoic.train --reference metadata/reference.csv --cases scratch/stoic/preprocessed/cases \\
        --settings settings.json --scratch scratch/stoic/checkpoints --artifact scratch/stoic/trained

In the training container `do_learning` is called by containers.stoic.main, and preprocesses first.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from containers.kit import cpus, distributed
from containers.kit.errors import UserError, reports_errors
from containers.kit.files import read_json, write_json
from containers.kit.settings import parse
from containers.stoic import models, places, train_fold
from containers.stoic.data import REFERENCE
from containers.stoic.evaluate import evaluate
from containers.stoic.job import Job
from containers.stoic.metric import table
from containers.stoic.preprocess import preprocess, sources
from containers.stoic.publish import publish, tidy
from containers.stoic.settings import Settings


def do_learning(data_dir: str, artifact_dir: str) -> list[str]:
    """The organisers' interface: learn from `data_dir`, write what prediction needs to `artifact_dir` as it comes.

    Returns further files that the caller should copy there: none, since all is written already.
    """
    data, scratch = Path(data_dir), places.place("SCRATCH")
    settings = places.settings()
    cases = scratch / "preprocessed"
    preprocess(sources(data), settings.preprocess, cases)
    learn(Job(settings, data / REFERENCE, cases, scratch, Path(artifact_dir), places.revision()))
    return []


def learn(job: Job) -> None:
    """Train every fold that is not finished, then evaluate them together and publish the artifact."""
    train = job.settings.train
    network = models.build(train.model, train.model_args, train.demographics)  # a wrong name must not cost an hour
    unfinished = [fold for fold in job.folds if not job.fold(fold).finished()]
    print(
        f"{train.model}: {models.parameters(network):,} parameters; {len(job.cases)} cases, {len(job.split.holdout)} "
        f"held out; folds to train: {', '.join(map(str, unfinished)) or 'none'}; checkpoints in {job.folder}",
        flush=True,
    )
    for note in job.split.notes:
        print(f"note: {note}", file=sys.stderr, flush=True)
    job.folder.mkdir(parents=True, exist_ok=True)
    (job.folder / "evaluation.json").unlink(missing_ok=True)
    tidy(job)
    publish(job)
    for fold in unfinished:
        _train(job, fold)
    train_fold.write_metrics(job)
    result = evaluate(job)
    publish(job)
    for name, measures in result.items():
        if measures:
            print(f"{name.replace('_', ' ')}:\n{table(measures)}", flush=True)


def _train(job: Job, fold: int) -> None:
    if job.world == 1:
        train_fold.train_fold(job, fold, distributed.alone())
        return
    write_json(job.folder / "settings.json", asdict(job.settings))
    arguments = ["--settings", f"@{job.folder / 'settings.json'}", "--fold", str(fold), "--revision", job.revision]
    for flag, path in {
        "--reference": job.reference,
        "--cases": job.preprocessed,
        "--scratch": job.scratch,
        "--artifact": job.artifact,
    }.items():
        arguments += [flag, str(path.absolute())]
    distributed.launch(train_fold.__name__, arguments, job.world, job.folder / "temporary")


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    labels = parser.add_mutually_exclusive_group(required=True)
    labels.add_argument("--reference", type=Path, help="the organisers' reference.csv")
    labels.add_argument("--manifest", type=Path, help="what fetch wrote; its root holds reference.csv")
    parser.add_argument("--cases", type=Path, required=True, help="folder of preprocessed cases")
    parser.add_argument("--settings", required=True, help="preprocess, train and predict as one JSON object, or @file")
    parser.add_argument(
        "--scratch", type=Path, required=True, help="folder for checkpoints and logs; keep it to resume"
    )
    parser.add_argument("--artifact", type=Path, required=True, help="folder for what prediction needs")
    parser.add_argument("--revision", default=places.revision(), help="git revision for the model card")
    args = parser.parse_args(argv)
    settings = parse(Settings, args.settings, "settings")
    if not args.cases.is_dir():
        raise UserError(f"{args.cases} is not there; run the preprocessing first")
    cpus.limit_threads(cpus.available())
    reference = args.reference or Path(read_json(args.manifest)["root"]) / REFERENCE
    learn(Job(settings, reference, args.cases, args.scratch, args.artifact, args.revision))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
