"""What ObjectNet's container must have written: predictions.csv, with a line for every image it was given."""

from __future__ import annotations

from pathlib import Path

from containers.kit.errors import UserError
from containers.kit.outputs import Finding, missing_and_extra
from containers.objectnet import grammar
from containers.objectnet.labels import LAST, NONE
from containers.objectnet.pictures import find

FILE = "predictions.csv"
EXPECTED = {
    "columns": f"{grammar.COLUMNS} columns",
    "confidence is no number": "numbers",
    "confidence out of range": "0 to 1",
    "confidences rise": "the best first",
    "duplicate image": "one line an image",
    "empty line": "no empty line",
    "header": "no header",
    "id is no number": "integers",
    "id more than once": "five objects",
    "id out of range": f"{NONE} to {LAST}",
    "images without a row": "a line for every image",
    "no object": "an object",
    "no valid row": "a line for every image",
    "not decoded": "an object",
    "unknown image": "images of the input folder",
    "unreadable": "CSV in UTF-8",
}


def check(output: Path, source: Path) -> list[Finding]:
    """Read the file by the organisers' rules, with the input's images in place of the answers."""
    try:
        names = [path.name for path in find(source)]
    except UserError as error:
        return [Finding("input", "FAIL", "a folder of images", "unreadable", str(error))]
    findings = missing_and_extra(output, {FILE})
    if not (output / FILE).is_file():
        return findings
    reading = grammar.read(output / FILE, set(names))
    findings += _findings(reading.errors, failed=True)
    findings += _findings([*(grammar.missing(names, reading) if reading.rows else []), *reading.warnings], failed=False)
    if not reading.errors:
        findings.append(Finding("predictions", "PASS", f"{len(names)} images", f"{len(reading.rows)} lines"))
    return findings


def _findings(problems: list[grammar.Problem], *, failed: bool) -> list[Finding]:
    """One finding a kind: fifty thousand lines that are wrong alike are one mistake."""
    counts = {problem.kind: 0 for problem in problems}
    for problem in problems:
        counts[problem.kind] += 1
    return [
        Finding(kind, "FAIL" if failed else "WARN", EXPECTED[kind], f"{counts[kind]} times", said)
        for kind, said in grammar.grouped(problems).items()
    ]
