"""Make sure that ObjectNet's images are there, and write down what they are and what they show.

    python -m workflow.scripts.objectnet.fetch --source demo --demo '{"images": 60}' \\
        --scratch scratch/objectnet/raw --manifest scratch/objectnet/raw/manifest.json

`--source` is `demo` (variants of real photos, made below --scratch), `remote` (the organisers' archive), or a folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from containers.kit.errors import reports_errors
from containers.kit.files import hash_of
from containers.kit.settings import parse
from workflow.scripts.objectnet import source
from workflow.scripts.objectnet.demo_images import Demo
from workflow.scripts.objectnet.licence import LICENCE
from workflow.scripts.objectnet.release import Images, counted, read
from workflow.scripts.slipway import fetching


def manifest(kind: str, images: Images) -> dict[str, Any]:
    """What is there; the stages that follow need nothing else."""
    entries = [{"file": file, "size": size} for file, size in images.sizes.items()]
    # By names and sizes: 50,000 images are not read through for this.
    marks = [[Path(file).name, size, images.answers.get(Path(file).name)] for file, size in images.sizes.items()]
    facts = {"schema": 1, "source": kind, "root": str(images.root.resolve()), "fingerprint": hash_of(marks)}
    return {**facts, "licence": LICENCE, "images": entries, "answers": images.answers}


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = fetching.flags(__doc__, "objectnet", "a folder, flat or with one for each object")
    parser.add_argument("--answers", default="", help="JSON file with each image's object; empty: look for it")
    args = parser.parse_args(argv)
    kind, root = fetching.located(
        args,
        lambda: source.demo(parse(Demo, args.demo, "demo"), args.scratch, args.workers),
        lambda: source.remote(fetching.row(args), args.accept, args.scratch, args.workers),
        source.folder,
    )
    images = read(root, "" if kind == "demo" else args.answers)
    fetching.record(args.manifest, manifest(kind, images))
    print(f"{images.root}: {counted(images)}")
    print(f"licence: {LICENCE}")
    if kind == "demo":
        print("these are variants of packages' photos and not ObjectNet's, but count as such wherever its licence does")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
