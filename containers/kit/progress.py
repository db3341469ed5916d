"""A progress bar that suits a terminal and a log: on a terminal it redraws, in a log it is a line now and then."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, TextIO

from tqdm import tqdm

SECONDS_BETWEEN_LOG_LINES = 10.0


class _Lines:
    """A text stream whose carriage returns begin new lines."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        text = text.strip("\r\n ")
        return self.stream.write(text + "\n") if text else 0

    def flush(self) -> None:
        self.stream.flush()


def bar(
    iterable: Iterable[Any] | None = None,
    *,
    total: float | None = None,
    title: str = "",
    bytes_: bool = False,
    initial: float = 0,
    quiet: bool = False,
) -> tqdm[Any]:
    """Use it as `for x in bar(xs, title=...)`, or as a context manager with `update(n)`.

    `initial` is what was there before: it counts in what is done, and not in the rate.
    """
    terminal = sys.stderr.isatty()
    return tqdm(
        iterable,
        total=total,
        desc=title,
        initial=initial,
        disable=quiet,
        unit="B" if bytes_ else "it",
        unit_scale=bytes_,
        unit_divisor=1024,
        file=sys.stderr if terminal else _Lines(sys.stderr),
        mininterval=0.1 if terminal else SECONDS_BETWEEN_LOG_LINES,
        maxinterval=SECONDS_BETWEEN_LOG_LINES,
        dynamic_ncols=terminal,
        ncols=None if terminal else 90,
        ascii=None if terminal else " #",
    )
