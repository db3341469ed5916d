"""Make the image that the template's Dockerfile builds on without a network: the base with tools and Python packages.

    python -m workflow.scripts.agrigaia.ground --base results/containers/base.json \\
        --wheelhouse scratch/agrigaia/wheels/train.json --cache scratch/containers --output results/agrigaia/ground.json

The record has the keys of base.json, so that workflow.scripts.image takes it in its place. A second run finds the image
and does nothing. On a base of Debian packages it is made with no network; on a public one Debian's mirror is asked.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError, reports_errors
from containers.kit.files import hash_of, read_json, write_json
from workflow.scripts.slipway import debian
from workflow.scripts.slipway.engine import Engine, find
from workflow.scripts.slipway.trees import link_tree
from workflow.scripts.wheels import PARTS

DOCKERFILE = Path(__file__).parents[3] / "containers" / "agrigaia" / "ground.Dockerfile"
NAME = "slipway/agrigaia-ground"
# The packages of Debian that the template's Dockerfile names.
TOOLS = ("ca-certificates", "curl", "fuse", "jq", "kmod", "libxml2-utils", "s3fs", "tree", "wget")


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, required=True, help="base.json")
    parser.add_argument("--wheelhouse", type=Path, required=True, help="record of the wheels, a JSON file")
    parser.add_argument("--cache", type=Path, required=True, help="folder that keeps the debian base with tools")
    parser.add_argument("--engine", default="auto", choices=["auto", "docker", "podman"])
    parser.add_argument("--output", type=Path, required=True, help="ground.json")
    args = parser.parse_args(argv)
    ground = make(find(args.engine), _record(args.base), read_json(args.wheelhouse), args.cache)
    write_json(args.output, ground)
    print(f"ground: {ground['reference']} ({ground['image_id'][7:19]})")
    return 0


def make(engine: Engine, base: Mapping[str, Any], wheelhouse: Mapping[str, Any], cache: Path) -> dict[str, Any]:
    """What ground.json says; the image is there when this returns."""
    here = base["kind"] == "debian"
    below, digest = base["reference"], base["image_id"]
    if here:
        made = debian.make(engine, cache, packages=TOOLS)
        below, digest = made.tag, made.rootfs_sha256
    wheels = {f"{part}/{name}": file["sha256"] for part in PARTS for name, file in wheelhouse[part]["files"].items()}
    tag = f"{NAME}:{hash_of([DOCKERFILE.read_text(encoding='utf-8'), digest, TOOLS, wheels])}"
    if engine.image_id(tag) is None:
        if not here:
            said = "the tools come from Debian's mirror, so this one image is built with the network"
            print(said, file=sys.stderr, flush=True)
        _build(engine, tag, below, Path(wheelhouse["folder"]), network=not here)
    return {
        "schema": 1,
        "kind": "ground",
        "reference": tag,
        "image_id": engine.image_id(tag),
        "suite": base.get("suite"),
        "below": {"kind": base["kind"], "reference": below},
    }


def _build(engine: Engine, tag: str, below: str, wheels: Path, *, network: bool) -> None:
    """Build in a folder of links beside the wheels, which goes away."""
    with tempfile.TemporaryDirectory(prefix=".ground-", dir=wheels.parent) as context:
        link_tree(wheels, Path(context, "wheels"))
        words = ["build", *([] if network else ["--network", "none"]), "--force-rm", "--file", str(DOCKERFILE)]
        words += ["--tag", tag, "--build-arg", f"BASE={below}", "--build-arg", f"TOOLS={' '.join(TOOLS)}"]
        engine.run(*words, context)


def _record(path: Path) -> Mapping[str, Any]:
    said = read_json(path)
    for key in ("kind", "reference", "image_id"):
        if not isinstance(said, dict) or not isinstance(said.get(key), str):
            raise UserError(f"{path} has no `{key}`; make it with workflow.scripts.base")
    return dict(said)


if __name__ == "__main__":
    raise SystemExit(main())
