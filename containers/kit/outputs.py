"""What an output check says: one finding a thing that was looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Status = Literal["PASS", "WARN", "FAIL"]


@dataclass(frozen=True)
class Finding:
    """`expected` and `got` are short and comparable; `note` says in plain words what to do when it failed."""

    name: str
    status: Status
    expected: str
    got: str
    note: str = ""


# An output check takes the output folder and the input folder of one run.
OutputCheck = Callable[[Path, Path], list[Finding]]


def missing_and_extra(folder: Path, expected: set[str]) -> list[Finding]:
    """Compare the files below `folder`, by relative path, with those that must be there and no others."""
    got = {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}
    findings = [
        Finding("missing output", "FAIL", name, "not written", f"the container must write {name} to its output folder")
        for name in sorted(expected - got)
    ]
    findings += [
        Finding(
            "extra output", "FAIL", "nothing else", name, f"the container must not leave {name} in its output folder"
        )
        for name in sorted(got - expected)
    ]
    if not findings:
        findings.append(Finding("output files", "PASS", f"{len(expected)} files", f"{len(got)} files"))
    return findings
