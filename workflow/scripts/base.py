"""Find or make the image that all others begin with, and write down which one it is.

    python -m workflow.scripts.base --base auto --cache scratch/containers --output results/containers/base.json

`auto` takes the pinned public Python image, from this host or from its registry, and makes an equal one of Debian
packages where no registry answers; `debian` does so at once; anything else names an image with Python 3.11.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError, reports_errors
from containers.kit.files import write_json
from workflow.scripts.slipway import debian
from workflow.scripts.slipway.engine import Engine, find
from workflow.scripts.slipway.metadata import PYTHON

PUBLIC = "python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b"
PROBE = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="auto", help="auto, debian, or the reference of an image with Python 3.11")
    parser.add_argument("--public", default=PUBLIC, help="the image that auto asks for")
    parser.add_argument("--cache", type=Path, required=True, help="folder that keeps the debian base for later runs")
    parser.add_argument("--engine", default="auto", choices=["auto", "docker", "podman"])
    parser.add_argument("--output", type=Path, required=True, help="base.json")
    args = parser.parse_args(argv)
    base = choose(find(args.engine), args.base, args.public, args.cache)
    write_json(args.output, base)
    print(f"base: {base['reference']} ({base['image_id'][7:19]})")
    return 0


def choose(engine: Engine, choice: str, public: str, cache: Path) -> dict[str, Any]:
    """What base.json says; the image is there when this returns."""
    if choice == "auto":
        if _present(engine, public):
            return _public(engine, public)
        print(
            f"no image registry gives {public}, so the base is made of Debian packages; "
            "set containers.base to debian to skip the question",
            file=sys.stderr,
            flush=True,
        )
    elif choice != "debian":
        if not _present(engine, choice):
            raise UserError(
                f"containers.base names {choice}, which is not on this host and could not be pulled (the engine's own "
                "words stand above); correct the reference, or use debian where no image registry is in reach"
            )
        return _public(engine, choice)
    made = debian.make(engine, cache)
    return {
        "schema": 1,
        "kind": "debian",
        "reference": made.tag,
        "image_id": made.image_id,
        "suite": debian.SUITE,
        "rootfs": str(made.rootfs.resolve()),
        "rootfs_sha256": made.rootfs_sha256,
    }


def _present(engine: Engine, reference: str) -> bool:
    """On this host already, or here now because its registry answered."""
    return engine.image_id(reference) is not None or engine.run("pull", reference, check=False).returncode == 0


def _public(engine: Engine, reference: str) -> dict[str, Any]:
    version = engine.ask("run", "--rm", "--network", "none", "--entrypoint", "python", reference, "-c", PROBE)
    if version != PYTHON:
        raise UserError(
            f"{reference} has Python {version or 'unknown'} and the packages are for {PYTHON}; "
            f"set containers.base to an image whose `python` is {PYTHON}"
        )
    return {
        "schema": 1,
        "kind": "public",
        "reference": reference,
        "image_id": engine.image_id(reference),
        "suite": None,
    }


if __name__ == "__main__":
    raise SystemExit(main())
