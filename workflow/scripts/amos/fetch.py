"""Make sure that AMOS22's data are there and sound, and write down what they are.

    python -m workflow.scripts.amos.fetch --source demo --task 1 --demo '{"cases": 16}' \\
        --scratch scratch/amos/raw --manifest scratch/amos/raw/manifest.json

`--source` is `demo` (synthetic, made below --scratch), `remote` (the organisers' record), or the folder of a release.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from containers.kit.errors import reports_errors
from containers.kit.files import hash_of
from containers.kit.settings import parse
from workflow.scripts.amos import source
from workflow.scripts.amos.dataset import PARTS, Release, read
from workflow.scripts.amos.phantom import Demo
from workflow.scripts.slipway import fetching


def manifest(kind: str, release: Release, task: int) -> dict[str, Any]:
    """What is there; the stages that follow need nothing else."""
    root = release.root.absolute()
    cases, marks = [], []
    for case in release.cases:
        status = (root / case.image).stat()
        cases.append({**asdict(case), "size": status.st_size, "mtime_ns": status.st_mtime_ns})
        # By sizes, so that it holds for a copy and takes no full read: gzip's differ as soon as a voxel does, mostly.
        label = (root / case.label).stat().st_size if case.label else None
        marks.append([case.id, case.modality, case.part, status.st_size, label])
    facts = {"schema": 1, "source": kind, "root": str(root), "fingerprint": hash_of(marks)}
    return {**facts, "task": task, "licence": release.licence, "cases": cases}


def _count(release: Release) -> str:
    counts = Counter((case.part, case.modality) for case in release.cases)
    told = {part: [f"{counts[part, kind]} {kind}" for kind in ("CT", "MR") if counts[part, kind]] for part in PARTS}
    return ", ".join(f"{' and '.join(kinds)} for {part}" for part, kinds in told.items() if kinds)


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = fetching.flags(__doc__, "amos", "the folder of a release")
    parser.add_argument("--task", type=int, choices=(1, 2), required=True, help="1 is CT alone, 2 is CT and MR")
    args = parser.parse_args(argv)
    kind, root = fetching.located(
        args,
        lambda: source.demo(parse(Demo, args.demo, "demo"), args.scratch, args.workers),
        lambda: source.remote(fetching.row(args), args.accept, args.task, args.scratch, args.workers),
        lambda path: source.folder(path, args.task),
    )
    release = read(root, args.task)
    for note in release.notes:
        print(f"note: {note}", file=sys.stderr)
    fetching.record(args.manifest, manifest(kind, release, args.task))
    print(f"{len(release.cases)} cases of task {args.task} in {root}: {_count(release)}")
    print(f"licence, in the words of {release.file}: {release.licence}")
    if kind != "demo":
        print("note: other sources state other licences of AMOS22; see which one binds you", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
