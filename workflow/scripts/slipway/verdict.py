"""The verdict on an image: what verdict.json holds, and how it is drawn up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from containers.kit.files import write_json
from containers.kit.outputs import Finding, Status
from workflow.scripts.slipway.flags import Adapted

SCHEMA = 1
NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Check:
    name: str
    status: Status
    expected: str
    got: str
    headroom: str = ""  # share of a limit that was left
    note: str = ""  # what it means, in a sentence


def of_finding(finding: Finding) -> Check:
    return Check(finding.name, finding.status, finding.expected, finding.got, note=finding.note)


def of_adapted(adapted: Adapted) -> Check:
    return Check(f"flag {adapted.flag}", "WARN", adapted.asked, adapted.used or "left out", note=adapted.why)


@dataclass(frozen=True)
class Run:
    profile: str
    status: Status
    reason: str
    command: str
    exit_code: int | None
    seconds: float
    adapted: tuple[Adapted, ...]
    checks: tuple[Check, ...]
    log: str  # of all starts, one after the other, as the engine would give it
    starts: int = 1
    score: Mapping[str, Any] | None = None  # as the platform reads it: its name and value

    def as_json(self) -> dict[str, Any]:
        adapted = [{"flag": one.flag, "used": one.used, "why": one.why} for one in self.adapted]
        return asdict(self) | {"adapted": adapted, "checks": [asdict(check) for check in self.checks]}


@dataclass(frozen=True)
class Verdict:
    challenge: str
    image: str
    status: Status
    reason: str
    image_id: str = ""
    tag: str = ""
    engine: Mapping[str, Any] = field(default_factory=lambda: {"name": "", "version": ""})
    host: Mapping[str, Any] = field(default_factory=lambda: {"cpus": 0, "memory": 0, "gpus": 0, "cgroup": ""})
    runs: tuple[Run, ...] = ()

    @property
    def warnings(self) -> int:
        return sum(check.status == "WARN" for run in self.runs for check in run.checks)

    def as_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "challenge": self.challenge,
            "image": self.image,
            "status": self.status,
            "reason": self.reason,
            "warnings": self.warnings,
            "image_id": self.image_id,
            "tag": self.tag,
            "engine": dict(self.engine),
            "host": dict(self.host),
            "runs": [run.as_json() for run in self.runs],
        }

    def write(self, paths: Sequence[Path]) -> None:
        for path in paths:
            write_json(path, self.as_json())


def judged(checks: Sequence[Check]) -> tuple[Status, str]:
    """The status of a run and, where it failed, the first cause: checks come in the order of causes."""
    for check in checks:
        if check.status == "FAIL":
            return "FAIL", check.note or f"{check.name}: expected {check.expected}, got {check.got}"
    return "PASS", "every check held"


def summary(runs: Sequence[Run]) -> tuple[Status, str]:
    """The overall status and reason of an image that ran under several profiles."""
    failed = [run for run in runs if run.status == "FAIL"]
    if failed:
        return "FAIL", f"Under the profile {failed[0].profile}: {failed[0].reason}."
    warnings = sum(check.status == "WARN" for run in runs for check in run.checks)
    names = " and ".join(run.profile for run in runs)
    told = f"; {warnings} warning{'s' * (warnings != 1)} to read" if warnings else ""
    return "PASS", f"It ran as promised under {names}{told}."
