"""Make sure that STOIC's data are there and sound, and write down what they are.

    python -m workflow.scripts.stoic.fetch --source demo --demo '{"cases": 60}' \\
        --scratch scratch/stoic/raw --manifest scratch/stoic/raw/manifest.json

`--source` is `demo` (synthetic, made below --scratch), `remote` (the organisers' bucket), or a folder in their layout.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from containers.kit.errors import reports_errors
from containers.kit.files import write_json
from containers.kit.settings import parse
from containers.stoic.data import fingerprint, image_file
from workflow.scripts.stoic import source
from workflow.scripts.stoic.phantom import Demo


def locate(choice: str, demo: Demo, scratch: Path, workers: int) -> tuple[str, Path]:
    """The kind of the source, and the folder with its data."""
    if choice == "demo":
        return "demo", source.demo(demo, scratch, workers)
    if choice == "remote":
        return "remote", source.remote()
    return "folder", source.folder(Path(choice))


def manifest(kind: str, root: Path) -> dict[str, Any]:
    """What is there; preprocessing needs nothing else."""
    rows = source.check(root)
    cases = []
    for row in rows:
        status = (root / image_file(row.id)).stat()
        facts = {"id": row.id, "file": image_file(row.id), "size": status.st_size, "mtime_ns": status.st_mtime_ns}
        cases.append({**facts, "covid": row.covid, "severe": row.severe})
    root = root.absolute()
    return {"schema": 1, "source": kind, "root": str(root), "fingerprint": fingerprint(root, rows), "cases": cases}


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", required=True, help="demo, remote, or a folder")
    parser.add_argument("--demo", default="{}", help="the section stoic.demo as JSON, or @file")
    parser.add_argument("--scratch", type=Path, required=True, help="folder that takes what is made or fetched")
    parser.add_argument("--manifest", type=Path, required=True, help="what is there, as JSON")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0 means one a CPU")
    args = parser.parse_args(argv)
    kind, root = locate(args.source, parse(Demo, args.demo, "demo"), args.scratch, args.workers)
    found = manifest(kind, root)
    write_json(args.manifest, found)
    cases = found["cases"]
    positives, severe = (sum(case[label] for case in cases) for label in ("covid", "severe"))
    print(f"{len(cases)} cases in {root}: {positives} with COVID, {severe} of them severe")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
