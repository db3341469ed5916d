"""Make sure that a data set is there and sound, and write down what it is.

    python -m workflow.scripts.agrigaia.fetch --source demo --demo '{"pictures": 120}' \\
        --scratch scratch/agrigaia/raw --manifest scratch/agrigaia/raw/manifest.json

`--source` is `demo` (drawn fields, made below --scratch), `remote` (the platform's bucket, fetched to below --scratch),
or a folder with pictures and annotations/annotations.xml, as the platform has it, or as CVAT exports it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from containers.agrigaia.common.pictures import named
from containers.kit.errors import UserError, reports_errors
from containers.kit.files import write_json
from containers.kit.settings import parse
from workflow.scripts.agrigaia import source
from workflow.scripts.agrigaia.demo_pictures import Demo
from workflow.scripts.agrigaia.manifest import counted, manifest, survey
from workflow.scripts.agrigaia.remote import KEY, Remote


def locate(choice: str, demo: Demo, remote: Remote, scratch: Path, workers: int) -> tuple[str, Path]:
    """The kind of the source, and the data set's folder."""
    if choice == "demo":
        return "demo", source.demo(demo, scratch, workers)
    if choice == "remote":
        return "remote", source.remote(remote, scratch)
    return "folder", source.folder(Path(choice))


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", required=True, help="demo, remote, or a folder with a data set")
    parser.add_argument("--demo", default="{}", help="the section agrigaia.demo as JSON, or @file")
    parser.add_argument("--remote", default="{}", help="the section agrigaia.remote as JSON, or @file")
    parser.add_argument("--scratch", type=Path, required=True, help="folder for what is made or fetched")
    parser.add_argument("--manifest", type=Path, required=True, help="what is there, as JSON")
    parser.add_argument("--strict", action="store_true", help="end with an error where there would be a warning")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0 means one a CPU")
    args = parser.parse_args(argv)
    demo, remote = parse(Demo, args.demo, "demo"), parse(Remote, args.remote, KEY)
    kind, root = locate(args.source, demo, remote, args.scratch, args.workers)
    found = survey(root)
    if args.strict and found.complaints:
        raise UserError(found.complaints[0])
    for complaint in named(found.complaints):
        print(f"warning: {complaint}", file=sys.stderr)
    try:
        write_json(args.manifest, manifest(kind, found))
    except OSError as error:
        raise UserError(f"{args.manifest} cannot be written ({error.strerror}); make room there") from None
    print(f"{found.root}: {counted(found)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
