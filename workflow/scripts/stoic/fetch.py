"""Make sure that STOIC's data are there and sound, and write down what they are.

    python -m workflow.scripts.stoic.fetch --source demo --demo '{"cases": 60}' \\
        --scratch scratch/stoic/raw --manifest scratch/stoic/raw/manifest.json

`--source` is `demo` (synthetic, made below --scratch), `remote` (the organisers' bucket, fetched to below --scratch),
or a folder in their layout.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from containers.kit.errors import reports_errors
from containers.kit.settings import parse
from containers.stoic.data import fingerprint, image_file
from workflow.scripts.slipway import fetching
from workflow.scripts.stoic import source
from workflow.scripts.stoic.phantom import Demo
from workflow.scripts.stoic.remote import KEY, SUBSET, Remote


def manifest(kind: str, root: Path) -> dict[str, Any]:
    """What is there; preprocessing needs nothing else."""
    rows = source.check(root)
    cases = []
    for row in rows:
        status = (root / image_file(row.id)).stat()
        facts = {"id": row.id, "file": image_file(row.id), "size": status.st_size, "mtime_ns": status.st_mtime_ns}
        cases.append({**facts, "covid": row.covid, "severe": row.severe})
    root = root.absolute()
    about = {"schema": 1, "source": kind, "root": str(root), "fingerprint": fingerprint(root, rows)}
    if kind == "remote" and root.name.startswith(SUBSET):
        about["subset"] = len(rows)
    return {**about, "cases": cases}


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = fetching.flags(__doc__, "stoic", "a folder in the organisers' layout")
    parser.add_argument("--remote", default="{}", help="the section stoic.remote as JSON, or @file")
    args = parser.parse_args(argv)
    demo, remote = parse(Demo, args.demo, "demo"), parse(Remote, args.remote, KEY)
    kind, root = fetching.located(
        args,
        lambda: source.demo(demo, args.scratch, args.workers),
        lambda: source.remote(fetching.row(args), args.accept, remote, args.scratch),
        source.folder,
    )
    found = manifest(kind, root)
    fetching.record(args.manifest, found)
    cases = found["cases"]
    positives, severe = (sum(case[label] for case in cases) for label in ("covid", "severe"))
    print(f"{len(cases)} cases in {root}: {positives} with COVID, {severe} of them severe")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
