"""A container's words: to the terminal and a log file as they come, with the last lines kept for the diagnosis."""

from __future__ import annotations

import codecs
import os
import sys
import threading
from collections import deque
from pathlib import Path
from typing import IO, Literal

LINES = 400
WIDTH = 2000  # of a kept line
ENGINE_WARNING = "WARNING: Your kernel"


class Tee(threading.Thread):
    """Reads a pipe to its end; join it before looking at what it found."""

    def __init__(self, pipe: IO[bytes], log: Path, wanted: str, *, append: bool = False) -> None:
        super().__init__(daemon=True)
        self.wanted_seen = False
        self.engine_warnings: list[str] = []
        self._pipe, self._log, self._wanted = pipe, log, wanted
        self._mode: Literal["ab", "wb"] = "ab" if append else "wb"
        self._lines: deque[str] = deque(maxlen=LINES)
        self._pending = ""

    @property
    def lines(self) -> list[str]:
        """The last lines that say something."""
        return list(self._lines)

    def run(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open(self._mode, buffering=0) as log:
            while chunk := os.read(self._pipe.fileno(), 1 << 16):
                log.write(chunk)
                text = decoder.decode(chunk)
                sys.stdout.write(text)
                sys.stdout.flush()
                self._feed(text)
        self._line(self._pending)

    def _feed(self, text: str) -> None:
        *lines, rest = (self._pending + text).split("\n")
        for line in lines:
            self._line(line)
        # A progress bar that redraws for hours is one line that never ends: its last state is enough.
        self._pending = rest[rest.rfind("\r", 0, -1) + 1 :][-WIDTH:]

    def _line(self, line: str) -> None:
        line = line.rstrip("\r").rpartition("\r")[2].strip()[:WIDTH]
        self.wanted_seen |= bool(self._wanted) and line == self._wanted
        if line.startswith(ENGINE_WARNING):
            self.engine_warnings.append(line.removeprefix("WARNING: "))
        if line:
            self._lines.append(line)
