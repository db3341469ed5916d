"""All missing bytes of a file from one address, by several connections at once."""

from __future__ import annotations

import time
from pathlib import Path

from containers.kit.progress import bar
from workflow.scripts.remote.http_ask import Answer, Client
from workflow.scripts.remote.http_digest import Digest, expected, kinds
from workflow.scripts.remote.http_line import Line, Work, differ
from workflow.scripts.remote.http_part import Part
from workflow.scripts.remote.http_wait import Failures, Manner
from workflow.scripts.remote.http_words import AgainError, ChangedError, RefusedError, shown, tell
from workflow.scripts.remote.room import amount, free, need
from workflow.scripts.remote.table import Http
from workflow.scripts.slipway.signals import held

SMALLEST, LARGEST = 16 << 20, 64 << 20  # of a request
EACH = 8  # requests of a connection at least, where the file is large enough
POLL = 0.1
MUCH = 1 << 28  # bytes after which the journal is written, however little time has gone by


class Pull:
    """One attempt. It ends with the checksums of all bytes, or with what hindered it; what came is in the part."""

    def __init__(self, url: str, wanted: Http, part: Part, manner: Manner, tries: int) -> None:
        self.url, self.wanted, self.part, self.manner = url, wanted, part, manner
        self.work = Work(url, wanted.file, part, manner, tries)
        self.lines: list[Line] = []
        self.said: dict[str, str] = {}  # the server's own checksums

    def run(self) -> dict[str, str]:
        first = Line(self.work)
        answer = self._first(first.client)
        try:
            self._plan(answer)
        except BaseException:
            answer.close()
            raise
        digest = Digest(self.part, kinds(self.wanted, self.said))
        digest.start()
        try:
            self._fetch(first, answer)
            if self.part.missing():
                raise RefusedError(f"{shown(self.url)} did not send all of {self.wanted.file}")
            self.part.save()
            return digest.result(self.part.size or 0)
        finally:
            digest.stop()

    def _first(self, client: Client) -> Answer:
        """The first answer tells what file there is, and whether in parts."""
        failures = Failures()
        while True:
            start, end = self._opening()
            try:
                return self._fits(client.ask(start, end, self._known()), start)
            except AgainError as error:
                failures.count(self.part.came, mine=False)
                self.work.patience.wait(error, failures.here, failures.strikes)

    def _opening(self) -> tuple[int, int | None]:
        if self.part.size is None:
            return 0, self._segment(self.wanted.size or self.wanted.about)
        gaps = self.part.missing() or [(0, self.part.size)]  # one that is there whole is asked for all the same
        return gaps[0][0], min(gaps[0][1], gaps[0][0] + self._segment(self.part.size))

    def _known(self) -> str:
        """The version to go on with. Another address may call the same version by another name."""
        return self.part.validator if self._same_place() else ""

    def _same_place(self) -> bool:
        return self.part.address == shown(self.url) or not expected(self.wanted)

    def _fits(self, answer: Answer, start: int) -> Answer:
        """The answer, if what is there already and what the table says go with it."""
        try:
            name, size = shown(self.url), self.wanted.size
            if size and answer.total is not None and answer.total != size:
                raise RefusedError(f"{name} has {answer.total} bytes, and not {size} as the table of sources says")
            if self.part.done:
                self._goes_on(answer, start)
        except BaseException:
            answer.close()
            raise
        return answer

    def _goes_on(self, answer: Answer, start: int) -> None:
        name = shown(self.url)
        same = not (self._same_place() and differ(answer.validator, self.part.validator))
        if answer.total != self.part.size or not same:
            raise ChangedError(f"{name} has changed since a part of it was fetched")
        if answer.whole and start:
            raise ChangedError(f"{name} gives no parts now, so that what is there cannot be gone on with")
        if not self.part.validator and not expected(self.wanted):
            raise ChangedError(f"{name} does not tell whether it is still the file of which a part is there")

    def _plan(self, answer: Answer) -> None:
        """What is to be fetched, by whom, and whether there is room for it."""
        folder, name = self.part.target.parent, self.wanted.file
        self.work.parts, self.said = not answer.whole, {} if expected(self.wanted) else answer.promised
        there, total = self.part.there(), answer.total
        if total is not None:
            left = total - there
            need(folder, max(0, total - self.part.taken()), f"{'the rest of ' if there else ''}{name}")
            already = f" ({amount(there)} of it are there)" if there else ""
            tell(f"fetching {name} from {shown(self.url)}: {amount(left)} to come{already}, {_room(folder)}")
        else:
            tell(f"fetching {name} from {shown(self.url)}, which does not tell its size: {_room(folder)}")
        self.part.begin(total, answer.validator, shown(self.url))
        if answer.whole:
            tell(f"{shown(self.url)} gives no parts: it comes by one connection, and anew if that breaks")
            self.work.due.append((0, total))
        else:
            each = self._segment(total or 0)
            for start, end in self.part.missing():
                self.work.due.extend((at, min(at + each, end)) for at in range(start, end, each))

    def _segment(self, size: int) -> int:
        return self.manner.segment or step(self.wanted, size)

    def _fetch(self, first: Line, answer: Answer) -> None:
        """Until all is there; the journal is written meanwhile."""
        if not self.work.due:
            answer.close()
            return
        first.answer = answer
        self.work.working = min(self.wanted.connections if self.work.parts else 1, len(self.work.due))
        self.lines = [first, *(Line(self.work) for _ in range(self.work.working - 1))]
        try:
            for line in self.lines:
                line.start()
            self._watch()
        finally:
            with held():  # a second request to stop must not hinder what the first one began
                self._end()
        if self.work.failed:
            raise self.work.failed[0]

    def _watch(self) -> None:
        saved, known = time.monotonic(), self.part.came
        with bar(total=self.part.size, initial=self.part.there(), title=self.wanted.file, bytes_=True) as told:
            while self.work.working and not self.work.failed:
                self.work.ended.wait(POLL)
                self.work.ended.clear()
                told.update(self.part.there() - told.n)
                now = self.part.came
                if time.monotonic() - saved >= self.manner.journal or now - known >= MUCH:
                    self.part.save()
                    saved, known = time.monotonic(), now
            told.update(self.part.there() - told.n)

    def _end(self) -> None:
        """Whatever happened, nobody writes after this, and the journal tells what is there."""
        self.work.stop.set()
        whole = not self.work.working and not self.work.failed
        for line in self.lines:
            line.end()
        if not whole and self.part.done:
            self.part.save()


def _room(folder: Path) -> str:
    return f"{folder} has {amount(free(folder))} free"


def step(wanted: Http, size: int) -> int:
    """How much one request asks for."""
    return max(SMALLEST, min(LARGEST, size // (EACH * wanted.connections)))
