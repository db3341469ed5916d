"""A file of 2 GiB whose download is killed ten times."""

from __future__ import annotations

import json
import random
import signal
from pathlib import Path

from tests.processes import send_when
from tests.remote_http.commands import started
from tests.remote_http.fetches import Place
from tests.remote_http.server import serving

MIB = 1 << 20
SIZE, KILLS = 2048 * MIB, 10
STEP, MORE = 96 * MIB, 64 * MIB  # what a life may be sent until its journal tells of two thirds of that, and then


def safe(place: Place) -> list[list[int]]:
    return place.done() if place.journal.exists() else []


def count(ranges: list[list[int]]) -> int:
    return sum(end - start for start, end in ranges)


def test_ten_kills_lose_little_and_no_byte_that_the_journal_tells_of(tmp_path: Path) -> None:
    moments = random.Random(10)
    with serving(SIZE) as server:
        place, log = Place(server, tmp_path / "raw"), tmp_path / "log"
        asked: list[list[tuple[int, int]]] = []  # in each life
        kept: list[list[list[int]]] = [[]]  # before each life
        for life in range(KILLS + 1):
            begun = len(server.asked)
            server.allow(server.sent + STEP if life < KILLS else float("inf"))
            with started(server, place.folder, log, connections=4) as process:
                if life < KILLS:
                    before = count(kept[-1])
                    server.wait_for(lambda before=before: count(safe(place)) >= before + MORE)  # type: ignore[misc]
                    until = server.sent + moments.randrange(MORE)
                    server.allow(until)
                    near = until - 2 * MIB  # what is sent goes by pieces
                    status = send_when(process, lambda near=near: server.sent >= near, signal.SIGKILL, log)  # type: ignore[misc]
                    assert status == -signal.SIGKILL
                else:
                    assert process.wait() == 0, log.read_text()
            asked.append([one.range for one in server.asked[begun:] if one.range])
            kept.append(safe(place))
        for life, ranges in enumerate(asked):
            again = [one for one in ranges for start, end in kept[life] if one[0] < end and start < one[1]]
            assert again == [], f"life {life} asked for what was there"
        assert server.sent <= SIZE + KILLS * STEP, "each life is sent STEP and MORE at most, and keeps MORE at least"
        assert sorted(one.name for one in place.folder.iterdir()) == ["data.zip", "data.zip.fetched.json"]
        told = json.loads((place.folder / "data.zip.fetched.json").read_text())
        assert told["checksums"] == {"sha256": server.content.digest()}
        assert place.target.stat().st_size == SIZE
