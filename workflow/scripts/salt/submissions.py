"""Predict the images of the test and write the six submissions, by the container's own code and checked as Kaggle does.

    python -m workflow.scripts.salt.submissions --manifest scratch/salt/raw/manifest.json \\
        --artifact results/salt/artifact --predict '{"tta": "hflip"}' --output results/salt/kaggle
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from containers.kit import cpus
from containers.kit.errors import UserError, listed, reports_errors
from containers.kit.files import read_json, replacing_tree
from containers.kit.settings import parse
from containers.salt.settings import VARIANTS, Predict


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", type=Path, required=True, help="what fetch wrote")
    parser.add_argument("--artifact", type=Path, required=True, help="the trained model")
    parser.add_argument("--predict", default="{}", help="the section salt.predict as JSON, or @file")
    parser.add_argument("--threads", type=int, default=0, help="CPUs to use; 0 means all that may be used")
    parser.add_argument("--output", type=Path, required=True, help="folder to replace with a CSV for each variant")
    args = parser.parse_args(argv)
    cpus.limit_threads(min(args.threads or cpus.available(), cpus.available()))
    from containers.salt import stream, submission

    settings, content = parse(Predict, args.predict, "predict"), read_json(args.manifest)
    paths = [Path(content["root"]) / entry["image"] for entry in content["test"]]
    ids = [path.stem for path in paths]
    depths = {entry["id"]: entry["z"] for entry in content["test"] if entry["z"] is not None}
    found = stream.on_any_device(args.artifact, paths, lambda: depths, VARIANTS, settings)
    if found.broken:
        told = listed([f"{path} ({why})" for path, why in found.broken.items()])
        raise UserError(f"{len(found.broken):,} images cannot be read: {told}; fetch the data again")
    with replacing_tree(args.output) as folder:
        for variant in VARIANTS:
            path = folder / f"{variant}.csv"
            submission.write(path, ids, found.texts[variant])
            submission.demand(path, submission.read(path, ids))
    width = max(map(len, VARIANTS))
    for variant in VARIANTS:
        salt = sum(map(bool, found.texts[variant]))
        print(f"{variant:{width}}  {salt:6,} of {len(ids):,} images with salt")
    print(f"{args.output}: {len(VARIANTS)} submissions, each of them valid")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
