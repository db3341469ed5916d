"""Put the rule graph of a target into the README, as Mermaid, where its markers are.

Example: snakemake --rulegraph mermaid-js export_stoic | python -m workflow.scripts.rulegraph --readme README.md
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from containers.kit.errors import UserError, reports_errors
from containers.kit.files import write_text

BEGIN, END = "<!-- rule graph: ./slipway docs writes it -->", "<!-- end of rule graph -->"


def picture(printed: str) -> str:
    """Snakemake's graph without its colours, rules by their names, in an order that stays."""
    names = dict(re.findall(r"^\s*(id\d+)\[(\w+)\]$", printed, flags=re.MULTILINE))
    arrows = sorted((names[a], names[b]) for a, b in re.findall(r"^\s*(id\d+) --> (id\d+)$", printed, re.MULTILINE))
    if not arrows:
        raise UserError("standard input is no rule graph; pipe `snakemake --rulegraph mermaid-js TARGET` into this")
    lines = [f"    {before} --> {after}" for before, after in arrows]
    return "\n".join(["```mermaid", "flowchart LR", *lines, "```"])


def placed(readme: str, graph: str) -> str:
    head, begin, rest = readme.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise UserError(f"the README has no place for the rule graph; add the lines '{BEGIN}' and '{END}'")
    return f"{head}{BEGIN}\n\n{graph}\n\n{END}{tail}"


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readme", type=Path, required=True, help="file to change")
    arguments = parser.parse_args(argv)
    text = arguments.readme.read_text(encoding="utf-8")
    write_text(arguments.readme, placed(text, picture(sys.stdin.read())))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
