"""Validate predictions.csv and score it, with the organisers' rules and command line, and more warnings than they give.

    python -m workflow.scripts.objectnet.validate_and_score -a answers.json -f predictions.csv

Prints the results as JSON. The exit status is 0 where the file is valid, else 1.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from containers.kit.errors import reports_errors
from containers.kit.files import write_json
from containers.objectnet.grammar import grouped, missing, read
from workflow.scripts.objectnet.release import read_answers
from workflow.scripts.objectnet.results import results


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-a", "--answers", type=Path, required=True, help="JSON file with each image's object")
    parser.add_argument("-f", "--filename", type=Path, required=True, help="predictions.csv")
    parser.add_argument("-n", "--no-range-check", action="store_true", help="take ids that are not from -1 to 312, too")
    parser.add_argument("--output", type=Path, help="write the results to this file, too")
    parser.add_argument("--strict-warnings", action="store_true", help="put our warnings into the results")
    args = parser.parse_args(argv)
    answers = read_answers(args.answers, "give the organisers' file of answers by -a")
    reading = read(args.filename, answers, in_range=not args.no_range_check)
    warnings = [*(missing(list(answers), reading) if reading.rows else []), *reading.warnings]
    content = results(reading, answers)
    if args.strict_warnings:
        content["warnings"] = [problem.said for problem in warnings]
    else:
        for said in grouped(warnings).values():
            print(f"warning: {said}", file=sys.stderr)
    if args.output:
        write_json(args.output, content)
    print(json.dumps(content, indent=2))
    return 1 if reading.errors else 0


if __name__ == "__main__":
    raise SystemExit(main())
