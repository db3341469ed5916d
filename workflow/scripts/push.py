"""Push an image that has passed to the registry that its tag names, and write down what the registry calls it.

    python -m workflow.scripts.push --image torch --contract containers/objectnet/contract.yaml \\
        --name tag=registry.example/project/objectnet:v1 --name name=objectnet \\
        --record results/objectnet/torch/image.json --verdict results/objectnet/torch/verdict.json \\
        --output results/objectnet/torch/pushed.json

Who may push is the engine's own affair: log in with its `login` command before.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from containers.kit.errors import UserError, reports_errors
from containers.kit.files import read_json, write_json
from workflow.scripts.slipway.contract import load, names_of, takes_names
from workflow.scripts.slipway.engine import Engine, find, show
from workflow.scripts.slipway.passed import check

REFUSED = re.compile(r"unauthorized|denied|no basic auth|authentication required", re.IGNORECASE)
ABSENT = re.compile(
    r"connection refused|no such host|i/o timeout|deadline exceeded|server gave HTTP response", re.IGNORECASE
)


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", required=True, help="its name in the contract")
    parser.add_argument("--contract", type=Path, required=True)
    takes_names(parser)
    parser.add_argument("--record", type=Path, required=True, help="image.json of the built image")
    parser.add_argument("--verdict", type=Path, required=True, help="verdict.json of its test")
    parser.add_argument("--engine", default="auto", choices=["auto", "docker", "podman"])
    parser.add_argument("--output", type=Path, required=True, help="pushed.json to write")
    args = parser.parse_args(argv)
    image = load(args.contract, names_of(args.name)).image(args.image)
    registry = registry_of(image.tag)
    record, engine = read_json(args.record), find(args.engine)
    check(record, read_json(args.verdict), image, engine)
    digest = _push(engine, image.tag, registry)
    write_json(args.output, {"schema": 1, "tag": image.tag, "image_id": record["image_id"], "digest": digest})
    print(f"pushed {image.tag}, which the registry knows as {digest}")
    return 0


def registry_of(tag: str) -> str:
    """The registry's name in a tag; where there is none the engine would push to a public one that nobody meant."""
    first, slash, _ = tag.partition("/")
    if not slash or not (first == "localhost" or "." in first or ":" in first):
        raise UserError(f"the tag '{tag}' names no registry; set challenges.objectnet.tag to registry/project/name:tag")
    return first


def _push(engine: Engine, tag: str, registry: str) -> str:
    """Push, in the terminal's sight, and give the digest."""
    command = engine.command("push", tag)
    show(command)
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as client:
        assert client.stdout is not None
        for line in client.stdout:
            lines.append(line.strip())
            sys.stderr.write(line)
    said = " ".join(line for line in lines[-5:] if line)
    if client.returncode:
        if REFUSED.search(said):
            raise UserError(f"{registry} does not let this user push {tag}; run `{engine.name} login {registry}` first")
        if ABSENT.search(said):
            raise UserError(f"the registry {registry} does not answer; see that the tag {tag} names the right one")
        raise UserError(f"pushing {tag} ended with {client.returncode}; the engine's own words stand above")
    found = re.search(r"digest: (sha256:[0-9a-f]{64})", said)
    if found is None:
        raise UserError(f"{engine.name} pushed {tag} and told no digest; see in the registry whether it is there")
    return found[1]


if __name__ == "__main__":
    raise SystemExit(main())
