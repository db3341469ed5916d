"""Kaggle's program at work: what it says is passed on as it comes, without what nobody may see."""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

from containers.kit.errors import UserError
from workflow.scripts.slipway.children import begun, killed_after
from workflow.scripts.slipway.kaggle_access import PROGRAM, Secrets
from workflow.scripts.slipway.kaggle_words import FETCHED_AGAIN, PROGRESS, joined

SILENCE = 600.0  # seconds; it shows its progress all the time
BETWEEN = 10.0  # seconds between two lines of progress in a log
GRACE = 5.0
KEPT = 100  # lines for a sentence about what went wrong
LONGEST = 1 << 16  # bytes of a line


def run(words: Sequence[str], hidden: Secrets) -> tuple[int, str]:
    """The exit status, and the last that was said."""
    try:
        process = begun(words, {**os.environ, "PYTHONUNBUFFERED": "1"}, subprocess.PIPE)
    except OSError as error:
        raise UserError(f"{words[0]} cannot be run ({error.strerror}); install it again") from None
    said: list[str] = []
    try:
        show = _Shown(hidden)
        for line in _lines(process):
            show.line(line)
            said = [*said, line][-KEPT:]
        return process.wait(), joined(said)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            killed_after(process, GRACE)


def _lines(process: subprocess.Popen[bytes]) -> Iterator[str]:
    """Whole lines alone, as a key may come in two pieces; a progress bar's end with a carriage return."""
    assert process.stdout
    rest = b""
    with selectors.DefaultSelector() as selector, process.stdout as stream:
        selector.register(stream, selectors.EVENT_READ)
        while True:
            if not selector.select(SILENCE):
                minutes = f"{SILENCE / 60:.0f} minutes"
                raise UserError(f"{PROGRAM} has said nothing for {minutes}; see to the network, and {FETCHED_AGAIN}")
            piece = os.read(stream.fileno(), LONGEST)
            *lines, rest = re.split(rb"[\r\n]+", rest + piece)
            yield from (line.decode("utf-8", "replace") for line in lines if line)
            if not piece or len(rest) > LONGEST:
                yield from [rest.decode("utf-8", "replace")] if rest else []
                rest = b""
            if not piece:
                return


class _Shown:
    """Progress is redrawn on a terminal, and is a line now and then in a log."""

    def __init__(self, hidden: Secrets) -> None:
        self._hidden, self._terminal, self._last = hidden, sys.stderr.isatty(), 0.0

    def line(self, line: str) -> None:
        text, now = self._hidden.hide(line), time.monotonic()
        if not PROGRESS.fullmatch(line.strip()):
            print(text, file=sys.stderr, flush=True)
        elif self._terminal:
            print(text, end="\r", file=sys.stderr, flush=True)
        elif now - self._last >= BETWEEN:
            self._last = now
            print(text.strip(), file=sys.stderr, flush=True)
