"""What came is not fetched again: after a kill, a request to stop, a full disk, and from another address."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from containers.kit.files import write_json
from tests.processes import send_when
from tests.remote_http.commands import started
from tests.remote_http.fetches import AGAIN, FILE, KEY, SEGMENT, SIZE, Place, segments
from tests.remote_http.server import Fault, Server

Capture = pytest.CaptureFixture[str]
GAPS = [(250_000, 350_000), (700_000, SIZE)]
THERE = ((0, 250_000), (350_000, 700_000))
REST = [(250_000, 350_000), *((at, min(SIZE, at + SEGMENT)) for at in range(700_000, SIZE, SEGMENT))]
STOPPED = "error: fetching was stopped before its end; run it again, and it goes on from there\n"
ANEW = "; it is fetched from its beginning\n"


def test_what_is_missing_is_asked_for_of_the_same_version(place: Place, server: Server) -> None:
    place.leave(*THERE)
    place.fetch(sha256="")
    assert place.whole()
    assert place.record()["checksums"] == {"sha256": server.content.digest()}, "of all bytes"
    assert server.ranges_asked() == REST
    assert {one.headers["if-range"] for one in server.asked} == {'"version-1"'}


def test_a_part_that_is_whole_costs_one_question(place: Place, server: Server) -> None:
    place.leave((0, SIZE))
    place.fetch(connections=4)
    assert place.whole()
    assert server.ranges_asked() == [(0, SEGMENT)]


@pytest.mark.parametrize("known", [True, False])
def test_a_file_that_changed_meanwhile_is_fetched_from_its_beginning(
    place: Place, server: Server, capsys: Capture, known: bool
) -> None:
    place.leave(*THERE)
    server.become(2)
    place.fetch(sha256=server.content.digest() if known else "")
    assert place.whole()
    assert server.ranges_asked() == [REST[0], *segments()]
    assert f"{server.url}/data.zip has changed since a part of it was fetched{ANEW}" in capsys.readouterr().err


def test_another_address_goes_on_where_the_checksum_is_known(place: Place, server: Server) -> None:
    place.leave(*THERE, address="https://elsewhere.example/data.zip", validator='"of another name"')
    place.fetch()
    assert place.whole()
    assert server.ranges_asked() == REST
    assert [one.headers.get("if-range") for one in server.asked] == [None, *['"version-1"'] * 4]


@pytest.mark.parametrize("same", [True, False])
def test_another_address_goes_on_without_a_checksum_where_the_version_is_the_same(
    place: Place, server: Server, same: bool
) -> None:
    more = {} if same else {"validator": '"of another name"'}
    place.leave(*THERE, address="https://elsewhere.example/data.zip", **more)
    place.fetch(sha256="")
    assert place.whole()
    assert server.ranges_asked() == (REST if same else [REST[0], *segments()])


def test_the_next_address_goes_on_where_the_first_one_ends(place: Place, server: Server) -> None:
    server.faults.extend([None, None, Fault(403)])
    place.fetch("/data.zip", "/mirror/data.zip")
    assert place.whole()
    assert [one.path for one in server.asked] == ["/data.zip"] * 3 + ["/mirror/data.zip"] * 9
    assert server.ranges_asked() == [*segments()[:3], *segments()[2:]]


def test_without_any_version_and_checksum_nothing_is_gone_on_with(
    place: Place, server: Server, capsys: Capture
) -> None:
    server.etag = ""
    place.leave(*THERE)
    place.fetch(sha256="")
    assert place.whole()
    assert server.ranges_asked() == [REST[0], *segments()]
    assert "does not tell whether it is still the file of which a part is there" in capsys.readouterr().err


def test_a_server_that_gives_no_parts_any_more_begins_anew(place: Place, server: Server, capsys: Capture) -> None:
    place.leave(*THERE)
    server.ranges = False
    place.fetch()
    assert place.whole()
    assert f"gives no parts now, so that what is there cannot be gone on with{ANEW}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "broken",
    ["{", "{}", '{"schema": 1, "size": 7, "validator": "", "address": "", "done": []}', '{"schema": 1, "done": [[5]]}'],
)
def test_a_journal_that_says_nothing_is_not_believed(place: Place, server: Server, broken: str) -> None:
    place.leave(*THERE)
    place.journal.write_text(broken)
    place.fetch()
    assert place.whole()
    assert server.ranges_asked() == segments()


@pytest.mark.parametrize("done", [[[5, 3]], [[0, SIZE + 1]], [[-5, 100]], [[300, 400], [100, 200]]])
def test_ranges_that_cannot_be_are_not_believed(place: Place, server: Server, done: list[list[int]]) -> None:
    place.leave(*THERE, done=done)
    place.fetch()
    assert place.whole()
    assert server.ranges_asked() == segments()


def test_bytes_that_broke_on_the_disk_are_found_and_fetched_again(
    place: Place, server: Server, capsys: Capture
) -> None:
    place.leave(*THERE)
    with place.part.open("r+b") as stream:
        stream.seek(400_000)
        stream.write(b"broken")
    place.fetch()
    assert place.whole()
    assert server.ranges_asked() == [*REST, *segments()]
    told = f"{server.url}/data.zip: the bytes of several runs do not make the file that is wanted{ANEW}"
    assert told in capsys.readouterr().err


def test_a_full_disk_is_a_sentence_and_the_next_run_goes_on(
    place: Place, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, written = os.pwrite, 0

    def full(handle: int, data: Any, at: int) -> int:
        nonlocal written
        if written + len(data) > 350_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written += len(data)
        return real(handle, data, at)

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        said = place.refused()
    assert said == f"{place.folder} is full; make room there and run it again, and fetching {FILE} goes on"
    ((begin, end),) = place.done()
    assert (begin, end) == (0, written)
    before = len(server.asked)
    place.fetch()
    assert place.whole()
    assert server.ranges_asked()[before] == (written, min(SIZE, written + SEGMENT))


def test_the_journal_tells_only_of_what_is_on_the_disk(
    place: Place, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    sync = os.fdatasync

    def syncs(handle: int) -> None:
        order.append("sync")
        sync(handle)

    def writes(path: Path, told: Any) -> None:
        order.append("journal")
        write_json(path, told)

    monkeypatch.setattr(os, "fdatasync", syncs)
    monkeypatch.setattr("workflow.scripts.remote.http_part.write_json", writes)
    place.fetch()
    assert order == ["sync", "journal"] * (len(order) // 2)
    assert order
    place.target.unlink()
    order.clear()

    def fails(handle: int) -> None:
        del handle
        order.append("failed")
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(place.part))

    monkeypatch.setattr(os, "fdatasync", fails)
    server.faults.extend([None, Fault(404)])
    assert place.refused() == f"{place.part} cannot be written ({os.strerror(errno.EIO)}); see whose it is"
    assert order == ["failed"], "not asked again, since the kernel would say that all is well"
    assert not place.journal.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_to_stop_leaves_what_came(
    place: Place, server: Server, tmp_path: Path, number: signal.Signals
) -> None:
    server.allow(600_000)
    log = tmp_path / "log"
    with started(server, place.folder, log) as process:
        assert send_when(process, lambda: place.has(524_288), number, log) == 1
    assert log.read_text().endswith(STOPPED)
    ((begin, end),) = place.done()
    assert (begin, end) == (0, 524_288)
    server.allow(float("inf"))
    place.fetch()
    assert place.whole()
    assert server.ranges_asked()[1] == (524_288, 624_288)


@pytest.mark.parametrize("ends", ["well", "killed"])
def test_a_second_process_waits_for_the_first(place: Place, server: Server, tmp_path: Path, ends: str) -> None:
    server.allow(600_000)
    logs = tmp_path / "first", tmp_path / "second"
    with started(server, place.folder, logs[0]) as first:
        server.wait_for(lambda: server.sent >= 524_288 and place.journal.exists() and place.done() == [[0, 524_288]])
        with started(server, place.folder, logs[1]) as second:
            server.wait_for(lambda: f"another process fetches {place.target}; waiting" in logs[1].read_text())
            if ends == "killed":
                first.kill()
            server.allow(float("inf"))
            assert second.wait() == 0
        assert first.wait() == (0 if ends == "well" else -signal.SIGKILL)
    assert place.whole()
    rest = [(524_288, SIZE)] if ends == "killed" else []
    assert server.ranges_asked() == [(0, 16 << 20), *rest]


def test_a_part_that_nothing_came_of_does_not_stay(place: Place, server: Server) -> None:
    server.always["/data.zip"] = Fault(cut=0)
    assert f"{FILE} ({KEY}) could not be fetched" in place.refused()
    assert list(place.folder.iterdir()) == []
    server.always.clear()
    server.faults.extend([None, Fault(404)])
    assert f"what came is kept, {AGAIN}" in place.refused()
    assert sorted(one.name for one in place.folder.iterdir()) == [f"{FILE}.journal", f"{FILE}.part"]
