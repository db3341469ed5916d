"""What the diagnosis looks at again and again: peaks held against limits, and lines of a container's log."""

from __future__ import annotations

import re
from collections.abc import Callable

from workflow.scripts.slipway.run import Outcome
from workflow.scripts.slipway.verdict import Check

NEAR = 0.9  # of a limit: beyond it the run passes with a warning
LAST_WORDS = 60  # lines before the end in which the cause of an exit is looked for
PATH = re.compile(r"['\"`]?(/[^'\"`:\s]+)")


def within(
    name: str, used: float | None, limit: float | None, expected: str, show: Callable[[float], str], more: str = ""
) -> Check:
    """A peak held against its limit; no more than a warning, since crossing a limit shows in other ways."""
    if used is None:
        return unmeasured(name, expected)
    if limit is None:
        return Check(name, "PASS", expected, show(used) + more)
    near = used > NEAR * limit
    note = f"the peak of {show(used)} is close to the limit; a larger case may cross it" if near else ""
    return Check(
        name, "WARN" if near else "PASS", expected, show(used) + more, f"{100 * (1 - used / limit):.0f} %", note
    )


def unmeasured(name: str, expected: str) -> Check:
    note = "it ended before it could be looked at, or this user may not look; run as root or under cgroup v2 to know"
    return Check(name, "WARN", expected, "not measured", note=note)


def last_line(outcome: Outcome, pattern: re.Pattern[str]) -> str:
    return next((line for line in reversed(outcome.lines[-LAST_WORDS:]) if pattern.search(line)), "")


def names(line: str, target: str) -> bool:
    folder = target.rstrip("/")
    return any(path == folder or path.startswith(f"{folder}/") for path in PATH.findall(line))


def path_in(line: str) -> str:
    found = PATH.findall(line)
    return found[-1] if found else line
