"""The score of a training, read from what its container printed, by the platform's own rule."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError
from containers.kit.files import read_json
from workflow.scripts.slipway.verdict import Check

LINES = 50  # at the end of the container's log, in which the platform looks
DIGITS = 3
MOST = 64 << 20  # bytes of a log's end that are looked at for its last lines


@dataclass(frozen=True)
class Wanted:
    """What custom.json says of the score."""

    name: str
    regexp: str


def load(path: Path) -> Wanted:
    said = read_json(path)
    for key in ("score_name", "score_regexp"):
        if not isinstance(said, dict) or not isinstance(said.get(key), str) or not said[key]:
            raise UserError(f"{path} has no text `{key}`, by which the platform knows the score; add it")
    try:
        re.compile(said["score_regexp"])
    except re.error as error:
        raise UserError(f"{path}: score_regexp is no regular expression ({error}); correct it") from None
    return Wanted(said["score_name"], said["score_regexp"])


def last_lines(log: Path, end: int) -> list[str]:
    """The last lines of the log's first `end` bytes, as the engine would give them."""
    with log.open("rb") as stream:
        stream.seek(max(0, end - MOST))
        text = stream.read(end - stream.tell())
    lines = text.removesuffix(b"\n").rsplit(b"\n", LINES)[-LINES:]
    return [line.decode("utf-8", errors="replace") for line in lines]


def read(lines: Sequence[str], regexp: str) -> float | None:
    """The last number that the expression finds in the last lines; None where the platform would find no score."""
    text = "".join(f"{line}\n" for line in lines[-LINES:])
    numbers = [number for word in _words(re.findall(regexp, text)) if (number := _number(word)) is not None]
    return round(numbers[-1], DIGITS) if numbers else None


def check(wanted: Wanted, lines: Sequence[str]) -> tuple[Check, float | None]:
    """What became of the score, and its value where it is one."""
    value = read(lines, wanted.regexp)
    expected = f"a number for {wanted.name}"
    if value is None:
        shown = wanted.regexp.replace("\n", r"\n")
        note = (
            f"the platform would find no score and answer 404: nothing in the last {LINES} lines of the container's "
            f"log matches score_regexp `{shown}` with a number; print the line with {wanted.name} last"
        )
        return Check("score", "FAIL", expected, "none", note=note), None
    if not math.isfinite(value):
        note = f"the platform would show {value} as {wanted.name}, which is no score; see why the training ends with it"
        return Check("score", "FAIL", expected, f"{wanted.name} {value}", note=note), None
    return Check("score", "PASS", expected, f"{wanted.name} {value:g}"), value


def _words(found: Iterable[Any]) -> list[str]:
    """Groups come as tuples; all of their words, in order."""
    words: list[str] = []
    for one in found:
        words += [one.strip()] if isinstance(one, str) else _words(one)
    return words


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None
