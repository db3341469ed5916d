"""Find the pretrained weights of an encoder, or fetch them, and write down which file that is.

    python -m workflow.scripts.salt.weights --kind segmentation --weights package:efficientnet-lite0 \\
        --cache scratch/salt/weights --output scratch/salt/weights/segmentation.json
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from containers.kit.errors import reports_errors
from containers.kit.files import sha256, write_json
from containers.salt.encoders import ABSENT
from workflow.scripts.slipway import weights


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=("classifier", "segmentation"), required=True, help="whose they are")
    parser.add_argument("--weights", required=True, help="a file, package:NAME or remote:NAME")
    parser.add_argument("--cache", type=Path, required=True, help="folder that keeps what is fetched")
    parser.add_argument("--output", type=Path, required=True, help="which file it is, as JSON")
    weights.flags(parser)
    args = parser.parse_args(argv)
    key = f"challenges.salt.{args.kind}.weights"
    path = weights.find(args.weights, key, args.cache, ABSENT, **weights.given(args))
    write_json(args.output, {"schema": 1, "kind": args.kind, "file": str(path), "sha256": sha256(path)})
    print(f"{args.kind}: {path.name}, {path.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
