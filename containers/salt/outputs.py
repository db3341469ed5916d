"""What the salt container must have written: submission.csv, with a line for every image it was given."""

from __future__ import annotations

from pathlib import Path

from containers.kit.errors import UserError
from containers.kit.outputs import Finding, missing_and_extra
from containers.salt import submission
from containers.salt.places import SUBMISSION as FILE
from containers.salt.places import images
from containers.salt.submission import Problem

EXPECTED = {
    "columns": "two columns",
    "duplicate id": "one line an image",
    "empty line": "no empty line",
    "header": ",".join(submission.HEADER),
    "mask": "runs inside the image",
    "missing id": "a line for every image",
    "no id": "an id",
    "not sorted": "sorted by id",
    "row count": "a line for every image",
    "unknown id": "images of the input folder",
    "unreadable": "CSV in UTF-8",
}


def check(output: Path, source: Path) -> list[Finding]:
    """Read the file by Kaggle's rules, where the input's images are those that it must name."""
    try:
        ids = [path.stem for path in images(source)[0]]
    except UserError as error:
        return [Finding("input", "FAIL", "a folder of images", "no image", str(error))]
    findings = missing_and_extra(output, {FILE})
    if not (output / FILE).is_file():
        return findings
    reading = submission.read(output / FILE, ids)
    findings += [_finding(problem, failed=True) for problem in reading.errors]
    findings += [_finding(problem, failed=False) for problem in reading.warnings]
    if not reading.errors:
        findings.append(Finding("masks", "PASS", f"{len(ids)} images", f"{len(reading.rows)} lines"))
    return findings


def _finding(problem: Problem, *, failed: bool) -> Finding:
    got = f"{problem.count} times"
    return Finding(problem.kind, "FAIL" if failed else "WARN", EXPECTED[problem.kind], got, str(problem))
