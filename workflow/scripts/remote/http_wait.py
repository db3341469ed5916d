"""How long to wait before a server is asked again, and when to give up."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass

from workflow.scripts.remote.http_words import AgainError, RefusedError, tell

QUIET = 10.0  # seconds in which the same trouble of many connections is one line


@dataclass(frozen=True)
class Manner:
    """How patient a fetch is, and how large its pieces are. All times are seconds."""

    segment: int = 0  # bytes of one request; 0: by the size of the file
    connect: float = 15.0
    read: float = 60.0  # without a byte
    tries: int = 8  # since the last byte that came
    first: float = 1.0  # the first pause; each is twice the one before
    most: float = 60.0
    longest: float = 300.0  # that a server may ask for
    journal: float = 1.0


class Patience:
    """What the connections to one address know together."""

    def __init__(self, manner: Manner, tries: int, stop: threading.Event) -> None:
        self.manner, self.tries, self.stop = manner, tries, stop
        self.lock = threading.Lock()
        self.until = 0.0  # before which nobody asks a busy server
        self.told: dict[str, float] = {}

    def turn(self) -> None:
        """Wait until the server may be asked."""
        while (left := self.until - time.monotonic()) > 0 and not self.stop.is_set():
            self.stop.wait(left)

    def wait(self, error: AgainError, failures: int, strikes: int) -> None:
        """Tell, and wait. `strikes` are the failures in a row without a byte on any connection, `failures` on this."""
        if error.after > self.manner.longest:
            raise RefusedError(f"{error}, and asks to wait for {error.after / 60:.0f} minutes")
        if strikes >= self.tries:
            raise RefusedError(f"{error}, {strikes} times in a row")
        pause = min(self.manner.most, self.manner.first * 2 ** min(failures - 1, 20))
        pause = max(pause * random.uniform(0.5, 1.0), error.after + random.uniform(0.0, 0.1 * self.manner.first))
        with self.lock:
            now = time.monotonic()
            if error.busy:
                self.until = max(self.until, now + pause)
            if now - self.told.get(str(error), -QUIET) >= QUIET:
                tell(f"{error}; asked again in {pause:.1f} s")
                self.told[str(error)] = now
        self.stop.wait(pause)


@dataclass
class Failures:
    """Those of one connection."""

    here: int = 0  # since it got a byte itself
    strikes: int = 0  # since anyone did
    came: int = -1

    def count(self, came: int, mine: bool) -> None:
        """Count one; `came` is the number of all bytes so far, and `mine` whether some of the last are its own."""
        self.here = 1 if mine else self.here + 1
        self.strikes = 1 if came != self.came else self.strikes + 1
        self.came = came
