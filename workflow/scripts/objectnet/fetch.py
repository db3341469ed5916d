"""Make sure that ObjectNet's images are there, and write down what they are and what they show.

    python -m workflow.scripts.objectnet.fetch --source demo --demo '{"images": 60}' \\
        --scratch scratch/objectnet/raw --manifest scratch/objectnet/raw/manifest.json

`--source` is `demo` (variants of real photos, made below --scratch), `remote` (the organisers' archive), or a folder.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError, reports_errors
from containers.kit.files import hash_of, write_json
from containers.kit.settings import parse
from workflow.scripts.objectnet import source
from workflow.scripts.objectnet.demo_images import Demo
from workflow.scripts.objectnet.licence import LICENCE
from workflow.scripts.objectnet.release import Images, counted, read


def locate(choice: str, demo: Demo, scratch: Path, workers: int) -> tuple[str, Path]:
    """The kind of the source, and the folder with its images."""
    if choice == "demo":
        return "demo", source.demo(demo, scratch, workers)
    if choice == "remote":
        return "remote", source.remote()
    return "folder", source.folder(Path(choice))


def manifest(kind: str, images: Images) -> dict[str, Any]:
    """What is there; the stages that follow need nothing else."""
    entries = [{"file": file, "size": size} for file, size in images.sizes.items()]
    # By names and sizes: 50,000 images are not read through for this.
    marks = [[Path(file).name, size, images.answers.get(Path(file).name)] for file, size in images.sizes.items()]
    facts = {"schema": 1, "source": kind, "root": str(images.root.resolve()), "fingerprint": hash_of(marks)}
    return {**facts, "licence": LICENCE, "images": entries, "answers": images.answers}


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", required=True, help="demo, remote, or a folder, flat or with one for each object")
    parser.add_argument("--answers", default="", help="JSON file with each image's object; empty: look for it")
    parser.add_argument("--demo", default="{}", help="the section objectnet.demo as JSON, or @file")
    parser.add_argument("--scratch", type=Path, required=True, help="folder for what is made; packages lie beside it")
    parser.add_argument("--manifest", type=Path, required=True, help="what is there, as JSON")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0 means one a CPU")
    args = parser.parse_args(argv)
    kind, root = locate(args.source, parse(Demo, args.demo, "demo"), args.scratch, args.workers)
    images = read(root, "" if kind == "demo" else args.answers)
    try:
        write_json(args.manifest, manifest(kind, images))
    except OSError as error:
        raise UserError(f"{args.manifest} cannot be written ({error.strerror}); make room there") from None
    print(f"{images.root}: {counted(images)}")
    print(f"licence: {LICENCE}")
    if kind == "demo":
        print("these are variants of packages' photos and not ObjectNet's, but count as such wherever its licence does")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
