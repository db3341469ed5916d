"""The connections of a fetch: each takes a segment after the other, and waits and asks again where one breaks off."""

from __future__ import annotations

import threading
from collections import deque

from workflow.scripts.remote.http_ask import Answer, Client
from workflow.scripts.remote.http_part import Part
from workflow.scripts.remote.http_wait import Failures, Manner, Patience
from workflow.scripts.remote.http_words import AgainError, ChangedError, LostError, shown, tell
from workflow.scripts.remote.room import amount

ENDING = 2.0  # seconds that a connection gets to end
RETIRES = 3  # failures in a row of a connection while others get bytes


class Work:
    """What the connections do together. A segment without an end goes to wherever the file ends."""

    def __init__(self, url: str, file: str, part: Part, manner: Manner, tries: int) -> None:
        self.url, self.file, self.part, self.manner = url, file, part, manner
        self.stop, self.ended = threading.Event(), threading.Event()
        self.patience = Patience(manner, tries, self.stop)
        self.lock = threading.Lock()
        self.due: deque[tuple[int, int | None]] = deque()
        self.working = 0
        self.failed: list[BaseException] = []
        self.parts = True  # whether the server gives parts

    def take(self) -> tuple[int, int | None] | None:
        """The next segment; who gets none has ended."""
        with self.lock:
            if self.due and not self.stop.is_set():
                return self.due.popleft()
            self.working -= 1
        self.ended.set()
        return None

    def fails(self, error: BaseException) -> None:
        with self.lock:
            if not self.stop.is_set():  # else it is a consequence of that
                self.failed.append(error)
            self.working -= 1
        self.ended.set()

    def retires(self, rest: tuple[int, int | None], failures: Failures) -> bool:
        """Whether a connection that gets nothing while others do is one too many; `rest` is then left to them."""
        with self.lock:
            if failures.here < RETIRES or failures.strikes > 1 or self.working < 2:
                return False
            self.due.appendleft(rest)
            self.working -= 1
        tell(f"{shown(self.url)} does not serve so many connections; there is one less now")
        return True


class BrokeError(Exception):
    """A request ended early; `at` is where it is to be gone on."""

    def __init__(self, at: int, error: AgainError) -> None:
        super().__init__(str(error))
        self.at, self.error = at, error


class Line(threading.Thread):
    """One connection, and what it fetches."""

    def __init__(self, work: Work) -> None:
        super().__init__(daemon=True)
        self.work = work
        self.client = Client(work.url, work.file, work.manner.connect, work.manner.read)
        self.answer: Answer | None = None
        self.over = False

    def run(self) -> None:
        try:
            while segment := self.work.take():
                if not self._bring(*segment):
                    return
        except BaseException as error:  # it is raised again where the fetch was asked for
            self.work.fails(error)

    def end(self) -> None:
        """Nothing is written after this, even if the thread still hangs in a request that is not answered."""
        with self.work.part.writing:
            self.over = True
        if answer := self.answer:
            answer.stop()
        if self.is_alive():
            self.join(ENDING)
        self.client.session.close()

    def _bring(self, at: int, end: int | None) -> bool:
        """Fetch the segment, with as many requests as it takes; False where the connection is given up."""
        failures, begun, work = Failures(), at, self.work
        while at != end and not work.stop.is_set():
            try:
                at = self._take(at, end)
                if end is None and not work.stop.is_set():
                    work.part.size = end = at
            except BrokeError as broke:
                at = broke.at
                if work.stop.is_set():
                    break
                failures.count(work.part.came, mine=at > begun)
                begun = at
                if work.retires((at, end), failures):
                    return False
                work.patience.wait(broke.error, failures.here, failures.strikes)
        return True

    def _take(self, at: int, end: int | None) -> int:
        """One request's bytes; where they end. A server may send less than it was asked for."""
        begun = at
        try:
            if self.answer is None:
                self.work.patience.turn()
                self.answer = self._ask(at, end)
            for piece in self.answer.pieces():
                at += self._write(piece if end is None else piece[: end - at], at)
                if at == end or self.work.stop.is_set():
                    return at
            if end is not None and at == begun:
                raise AgainError(f"{shown(self.work.url)} sends nothing")
            return at
        except AgainError as error:
            raise BrokeError(at, error) from None
        finally:
            if self.answer:
                self.answer.close()  # a connection whose answer was read to its end stays open all the same
            self.answer = None

    def _ask(self, at: int, end: int | None) -> Answer:
        part, name = self.work.part, shown(self.work.url)
        answer = self.client.ask(at, end, part.validator)
        try:
            if answer.total != part.size or differ(answer.validator, part.validator):
                raise ChangedError(f"{name} changed while it was fetched")
            if answer.whole and at:
                if self.work.parts:
                    raise AgainError(f"{name} sent the whole file where a part of it was asked for")
                raise LostError(f"{name} gives no parts, and broke off after {amount(at)}")
        except BaseException:
            answer.close()
            raise
        return answer

    def _write(self, piece: bytes, at: int) -> int:
        with self.work.part.writing:
            if self.over:
                return 0
            self.work.part.write(piece, at)
        return len(piece)


def differ(one: str, other: str) -> bool:
    """Whether they tell of two versions; an ETag and a time tell nothing of each other."""
    return bool(one and other) and one.startswith('"') == other.startswith('"') and one != other
