"""Make sure that a data set is there and sound, and write down what it is.

    python -m workflow.scripts.agrigaia.fetch --source demo --demo '{"pictures": 120}' \\
        --scratch scratch/agrigaia/raw --manifest scratch/agrigaia/raw/manifest.json

`--source` is `demo` (drawn fields, made below --scratch), `remote` (the platform's bucket, fetched to below --scratch),
or a folder with pictures and annotations/annotations.xml, as the platform has it, or as CVAT exports it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from containers.agrigaia.common.pictures import named
from containers.kit.errors import UserError, reports_errors
from containers.kit.settings import parse
from workflow.scripts.agrigaia import source
from workflow.scripts.agrigaia.demo_pictures import Demo
from workflow.scripts.agrigaia.manifest import counted, manifest, survey
from workflow.scripts.agrigaia.remote import KEY, Remote
from workflow.scripts.slipway import fetching


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = fetching.flags(__doc__, "agrigaia", "a folder with a data set")
    parser.add_argument("--remote", default="{}", help="the section agrigaia.remote as JSON, or @file")
    parser.add_argument("--strict", action="store_true", help="end with an error where there would be a warning")
    args = parser.parse_args(argv)
    demo, remote = parse(Demo, args.demo, "demo"), parse(Remote, args.remote, KEY)
    kind, root = fetching.located(
        args,
        lambda: source.demo(demo, args.scratch, args.workers),
        lambda: source.remote(remote, args.scratch),
        source.folder,
    )
    found = survey(root)
    if args.strict and found.complaints:
        raise UserError(found.complaints[0])
    for complaint in named(found.complaints):
        print(f"warning: {complaint}", file=sys.stderr)
    fetching.record(args.manifest, manifest(kind, found))
    print(f"{found.root}: {counted(found)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
