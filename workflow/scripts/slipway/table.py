"""A run's checks as a table for the terminal."""

from __future__ import annotations

import shutil
import textwrap

from workflow.scripts.slipway.verdict import Check, Run, Verdict

COLOURS = {"PASS": "32", "WARN": "33", "FAIL": "31"}
HEADER = ("check", "status", "expected", "got", "headroom")
WIDEST = 44  # characters of a cell; the whole text stands in verdict.json


def of_run(run: Run, *, colour: bool) -> str:
    """The table, and below it the notes of what did not pass."""
    rows = [HEADER, *(_row(check) for check in run.checks)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("─" * width for width in widths))
    for number, check in enumerate(run.checks, start=2):
        lines[number] = _painted(lines[number], check.status, colour)
    notes = [_note(check) for check in run.checks if check.note and check.status != "PASS"]
    title = f"profile {run.profile}: {run.seconds:.1f} s"
    return "\n".join([title, "", *lines, *([""] if notes else []), *notes, ""])


def of_verdict(verdict: Verdict, *, colour: bool) -> str:
    status = _painted(f" {verdict.status} ", verdict.status, colour, bold=True)
    return f"{status} {verdict.challenge} {verdict.image}: {verdict.reason}"


def _row(check: Check) -> tuple[str, str, str, str, str]:
    return check.name, check.status, _cut(check.expected), _cut(check.got), check.headroom


def _note(check: Check) -> str:
    width = max(60, min(shutil.get_terminal_size((120, 24)).columns, 120))
    return textwrap.fill(
        f"{check.status}  {check.name}: {check.note}", width, subsequent_indent="      ", break_on_hyphens=False
    )


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def _painted(text: str, status: str, colour: bool, *, bold: bool = False) -> str:
    """Only the status word is coloured, so that the table stays calm."""
    if not colour:
        return text
    return text.replace(status, f"\033[{'1;' * bold}{COLOURS[status]}m{status}\033[0m", 1)
