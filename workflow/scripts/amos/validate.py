"""Predict the cases that a fold did not learn from, just as the container would, and measure them.

    python -m workflow.scripts.amos.validate --trained scratch/amos/trained/fold_0 --plan-folder scratch/amos/plan \\
        --manifest scratch/amos/raw/manifest.json --predict '{"mirror": false}' --metric '{"tolerance": 1.0}' \\
        --scratch scratch/amos --output scratch/amos/validated_0.json

The label maps stay below --scratch, and are made once for the same weights and settings. Nothing is cleaned here: what
the components of each organ are worth is written down, for the cleaning to be learnt from.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from containers.amos import model as models
from containers.amos.organs import ORGANS
from containers.amos.predictor import Options
from containers.amos.run_inference import options_of, predict_file
from containers.amos.settings import Metric, Predict
from containers.kit import cpus
from containers.kit.errors import UserError, reports_errors
from containers.kit.files import hash_of, read_json, write_json
from containers.kit.pool import each
from containers.kit.settings import parse
from workflow.scripts.amos import bundle, plan, samples, train
from workflow.scripts.amos.judge import judge, scores
from workflow.scripts.amos.samples import Sample


def predict(cases: Sequence[Sample], folder: Path, model: models.Model, options: Options) -> None:
    """The label maps that are not there yet."""
    missing = [case for case in cases if not (folder / f"{case.id}.nii.gz").is_file()]
    folder.mkdir(parents=True, exist_ok=True)
    for case in missing:
        done = predict_file(case.image, folder / f"{case.id}.nii.gz", model, options, clean=False)
        print(f"{case.id}: {done}", flush=True)


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trained", type=Path, required=True, help="folder of the fold, as train wrote it")
    parser.add_argument("--plan-folder", type=Path, required=True, help="what plan wrote")
    parser.add_argument("--manifest", type=Path, required=True, help="what fetch wrote")
    parser.add_argument("--predict", default="{}", help="the section amos.predict as JSON, or @file")
    parser.add_argument("--metric", default="{}", help="the section amos.metric as JSON, or @file")
    parser.add_argument("--scratch", type=Path, required=True, help="folder for the label maps")
    parser.add_argument("--output", type=Path, required=True, help="what came out, as JSON")
    parser.add_argument("--workers", type=int, default=0, help="processes that measure; 0 means one a CPU")
    parser.add_argument("--threads", type=int, default=0, help="CPUs to predict with; 0 means all that may be used")
    args = parser.parse_args(argv)
    told, metric = parse(Predict, args.predict, "predict"), parse(Metric, args.metric, "metric")
    fold, record = read_json(args.trained / train.RECORD), plan.read(args.plan_folder)
    cpus.limit_threads(min(args.threads or cpus.available(), cpus.available()))
    known = samples.read(args.manifest, record["task"], "train").named
    cases = [known[case] for case in read_json(args.plan_folder / plan.SPLITS)[fold["fold"]]["val"]]
    decisive = {"weights": fold["sha256"], "plan": record["key"], "mirror": told.mirror, "step": told.step}
    folder = args.scratch / "predictions" / hash_of(decisive)
    args.scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="model.", dir=args.scratch) as temporary:
        bundle.assemble(Path(temporary), args.plan_folder, [args.trained], dict.fromkeys(ORGANS, 0.0))
        predict(cases, folder, models.load(Path(temporary)), options_of(told))
    results = each(partial(judge, folder, metric.tolerance), cases, workers=args.workers, title="measure")
    bad = [result for result in results if isinstance(result, UserError)]
    if bad:
        raise bad[0]
    content = {"schema": 1, "fold": fold["fold"], **decisive, "tolerance": metric.tolerance, "cases": results}
    write_json(args.output, content)
    known_dsc = [score.dsc for case in results if isinstance(case, dict) for score in scores(case).values()]
    values = [value for value in known_dsc if value is not None]
    mean = f"{sum(values) / len(values):.3f}" if values else "-"
    print(
        f"fold {fold['fold']}: mean DSC {mean} over the organs of {len(cases)} cases; label maps in {folder}",
        flush=True,
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
