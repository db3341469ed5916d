"""Build one image from its folder of the submission, with no network, and write down what came of it.

    python -m workflow.scripts.image --image train --contract containers/stoic/contract.yaml \\
        --context results/stoic/submission/training --base results/containers/base.json \\
        --wheelhouse scratch/stoic/wheels/train.json --output results/stoic/train/image.json
"""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError, reports_errors
from containers.kit.files import read_json, replacing_tree, write_json
from workflow.scripts.slipway import dockerfile
from workflow.scripts.slipway.contract import load, names_of, takes_names
from workflow.scripts.slipway.engine import Engine, find
from workflow.scripts.slipway.trees import link, link_tree

PACKAGES = (
    "import importlib.metadata as m, json; "
    "print(json.dumps(sorted({f'{d.name}=={d.version}' for d in m.distributions()}, key=str.lower)))"
)


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", required=True, help="its name in the contract")
    parser.add_argument("--contract", type=Path, required=True)
    takes_names(parser)
    parser.add_argument("--context", type=Path, required=True, help="its folder of the submission")
    parser.add_argument("--base", type=Path, required=True, help="base.json")
    parser.add_argument(
        "--wheelhouse", type=Path, help="record of its wheels, a JSON file, for a Dockerfile that takes wheels"
    )
    parser.add_argument("--engine", default="auto", choices=["auto", "docker", "podman"])
    parser.add_argument("--output", type=Path, required=True, help="image.json")
    args = parser.parse_args(argv)
    # From here on the tag may mean another image than the last record says.
    args.output.unlink(missing_ok=True)
    image = load(args.contract, names_of(args.name)).image(args.image)
    engine, base = find(args.engine), read_json(args.base)
    context = with_wheels(args.context, args.wheelhouse)
    # --force-rm: the container of a step that failed goes too.
    words = ["build", "--network", "none", "--force-rm", "--tag", image.tag]
    if dockerfile.takes_base((context / "Dockerfile").read_text(encoding="utf-8")):
        words += ["--build-arg", f"BASE={base['reference']}"]
    engine.run(*words, str(context))
    record = {
        "schema": 1,
        "challenge": args.contract.resolve().parent.name,
        "image": args.image,
        "tag": image.tag,
        "base": {"reference": base["reference"], "image_id": base["image_id"]},
        "command": shlex.join(engine.command(*words, str(context))),
        **described(engine, image.tag),
    }
    write_json(args.output, record)
    print(f"{image.tag}: {record['image_id'][7:19]}, {record['size'] / 1e6:.0f} MB, {len(record['layers'])} layers")
    return 0


def with_wheels(context: Path, wheelhouse: Path | None) -> Path:
    """The folder itself where wheels lie in it, or where its Dockerfile takes none.

    Else one beside the wheelhouse, with the same files and the wheels.
    """
    file = context / "Dockerfile"
    if not file.is_file():
        raise UserError(f"{context} has no Dockerfile; make the folder with workflow.scripts.submission")
    if any(context.glob("wheels/*/*.whl")) or not dockerfile.takes_wheels(file.read_text(encoding="utf-8")):
        return context
    if wheelhouse is None:
        raise UserError(f"{file} takes wheels, and none lie in {context}; give --wheelhouse, the record of its wheels")
    wheels = Path(read_json(wheelhouse)["folder"])
    whole = wheels.with_name(f"{wheels.name}.context")
    with replacing_tree(whole) as new:
        for path in sorted(context.iterdir()):
            if path.name == "wheels":
                link_tree(wheels, new / path.name)
            elif path.is_dir():
                link_tree(path, new / path.name)
            else:
                link(path, new / path.name)
    return whole


def described(engine: Engine, reference: str) -> dict[str, Any]:
    """What image.json says of a local image."""
    inspected = json.loads(engine.ask("image", "inspect", reference))[0]
    labels = inspected["Config"]["Labels"] or {}
    packages = engine.ask("run", "--rm", "--network", "none", "--entrypoint", "python", reference, "-c", PACKAGES)
    return {
        "image_id": engine.image_id(reference),
        "engine": {"name": engine.name, "version": engine.version},
        "revision": labels.get("org.opencontainers.image.revision", ""),
        "config_hash": labels.get("slipway.config", ""),
        "weights_sha256": labels.get("slipway.weights") or None,
        "packages": json.loads(packages),
        "layers": inspected["RootFS"]["Layers"],
        "size": inspected["Size"],
    }


if __name__ == "__main__":
    raise SystemExit(main())
