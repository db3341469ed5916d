"""A file comes by parts, is checked while it comes, and is neither read nor fetched twice."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.remote_http.fetches import FILE, KEY, SEGMENT, SIZE, Place, segments
from tests.remote_http.server import Fault, Server
from workflow.scripts.remote.http import main
from workflow.scripts.remote.table import Http

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is there is not to be read."""

    def never(*_: object) -> dict[str, str]:
        raise AssertionError("the file was read")

    monkeypatch.setattr("workflow.scripts.remote.http.of_file", never)


def test_one_connection_asks_for_the_parts_in_order_and_of_one_version(place: Place, server: Server) -> None:
    assert place.fetch() == place.target
    assert place.whole()
    assert server.ranges_asked() == segments()
    assert [one.headers.get("if-range") for one in server.asked] == [None, *['"version-1"'] * 10]
    assert {one.headers["accept-encoding"] for one in server.asked} == {"identity"}
    assert (server.connections, sum(one.sent for one in server.asked)) == (1, SIZE)


def test_several_connections_fetch_each_part_once(place: Place, server: Server) -> None:
    server.allow(SEGMENT)
    with ThreadPoolExecutor(1) as pool:
        fetched = pool.submit(place.fetch, connections=4)
        server.wait_for(lambda: server.connections == 4)
        server.allow(float("inf"))
        assert fetched.result() == place.target
    assert place.whole()
    assert sorted(server.ranges_asked(), key=str) == sorted(segments(), key=str)
    assert server.connections == 4, "each is used again"


def test_a_record_tells_what_was_fetched_and_a_second_fetch_asks_and_reads_nothing(
    place: Place, server: Server, request: pytest.FixtureRequest
) -> None:
    place.fetch("/data.zip?signature=hidden")
    found = place.target.stat()
    assert place.record() == {
        "schema": 1,
        "size": SIZE,
        "mtime_ns": found.st_mtime_ns,
        "checksums": {"sha256": server.content.digest()},
        "address": f"{server.url}/data.zip",
    }
    asked = len(server.asked)
    request.getfixturevalue("unread")
    assert place.fetch() == place.target
    assert len(server.asked) == asked


@pytest.mark.parametrize(("kind", "length"), [("md5", 32), ("sha256", 8), ("sha256", 64)])
def test_the_checksum_is_that_of_the_table(place: Place, server: Server, kind: str, length: int) -> None:
    digest = server.content.digest(kind)
    known: dict[str, Any] = {"sha256": "", kind: digest[:length]}
    place.fetch(**known)
    assert place.whole()
    assert place.record()["checksums"] == {kind: digest}
    place.target.unlink()
    wrong = digest[: length - 1] + "z"
    said = place.refused(**{**known, kind: wrong})
    assert f"gave another file than is wanted, or a damaged one: its {kind} is {digest} and not {wrong};" in said
    assert sorted(one.name for one in place.folder.iterdir()) == [f"{FILE}.fetched.json"]


def test_without_a_checksum_the_one_that_came_is_told(place: Place, server: Server, capsys: Capture) -> None:
    place.fetch(sha256="")
    digest = server.content.digest()
    assert f"note: no checksum of it is known, set {KEY}.http.sha256 to {digest}" in capsys.readouterr().err
    assert place.record()["checksums"] == {"sha256": digest}


@pytest.mark.parametrize("name", ["Digest", "Repr-Digest", "Content-MD5"])
def test_without_a_checksum_the_one_of_the_server_counts(place: Place, server: Server, name: str) -> None:
    server.ranges = name != "Content-MD5"  # which is of what is sent
    kind, word = ("md5", "") if name == "Content-MD5" else ("sha256", "sha-256=")
    for right in (True, False):
        sent = base64.b64encode(bytes.fromhex(server.content.digest(kind)) if right else hashlib.new(kind).digest())
        quoted = f":{sent.decode()}:" if name == "Repr-Digest" else sent.decode()
        server.headers = {name: f"{word}{quoted}"}
        if right:
            place.fetch(sha256="")
            assert place.whole()
            place.target.unlink()
        else:
            assert f"a damaged one: its {kind} is {server.content.digest(kind)} and not" in place.refused(sha256="")


def test_a_file_that_a_user_put_there_is_checked_once_and_taken(
    place: Place, server: Server, capsys: Capture, request: pytest.FixtureRequest
) -> None:
    place.folder.mkdir()
    place.target.write_bytes(server.content.read())
    assert place.fetch(size=SIZE) == place.target
    assert capsys.readouterr().err == f"{place.target} was there, and is the file that is wanted\n"
    assert (server.asked, place.record()["address"]) == ([], "")
    request.getfixturevalue("unread")
    assert place.fetch(size=SIZE) == place.target


def test_a_file_of_a_user_that_is_another_stays_and_is_told_of(place: Place, server: Server) -> None:
    place.folder.mkdir()
    place.target.write_bytes(b"mine")
    digest = hashlib.sha256(b"mine").hexdigest()
    ending = "move it away and run again to fetch it"
    wrong = f"its sha256 is {digest} and not {server.content.digest()}"
    assert place.refused() == f"{place.target} is not the file of {KEY}: {wrong}; {ending}"
    wrong = f"it has 4 bytes and not {SIZE}"
    assert place.refused(size=SIZE) == f"{place.target} is not the file of {KEY}: {wrong}; {ending}"
    assert (place.target.read_bytes(), server.asked) == (b"mine", [])


def test_a_file_that_changed_after_it_was_fetched_is_checked_again(place: Place, server: Server) -> None:
    place.fetch()
    data = bytearray(server.content.read())
    data[5] ^= 1
    place.target.write_bytes(data)
    os.utime(place.target, ns=(1, 1))
    assert f"{place.target} is not the file of {KEY}: its sha256 is" in place.refused()


def test_a_checksum_that_the_table_gets_later_counts_for_a_file_that_is_there(place: Place, server: Server) -> None:
    place.fetch(sha256="")
    place.fetch()
    assert f"and not {'0' * 64}; move it away" in place.refused(sha256="0" * 64)
    asked = len(server.asked)
    place.fetch(sha256="", md5=server.content.digest("md5"))
    assert (place.record()["checksums"], len(server.asked)) == ({"md5": server.content.digest("md5")}, asked)


def test_an_empty_file_and_one_of_a_byte(place: Place, server: Server) -> None:
    for size in (0, 1):
        server.size = size
        server.become(size + 5)
        place.target.unlink(missing_ok=True)
        place.fetch(connections=4)
        assert place.whole()
        assert place.target.stat().st_size == size


def test_a_server_that_tells_no_size_is_believed_where_the_checksum_is_right(
    place: Place, server: Server, capsys: Capture
) -> None:
    server.ranges = server.length = False
    place.fetch(connections=4)
    assert place.whole()
    assert f"{place.target.name} from {server.url}/data.zip, which does not tell its size" in capsys.readouterr().err
    place.target.unlink()
    server.faults.append(Fault(cut=5000))
    assert "a damaged one" in place.refused()


def test_a_server_that_sends_less_than_it_was_asked_for_is_asked_for_the_rest(place: Place, server: Server) -> None:
    server.faults.extend([None, Fault(most=30_000)])
    place.fetch()
    assert place.whole()
    first, second = segments()[:2]
    assert server.ranges_asked()[:3] == [first, second, (second[0] + 30_000, second[1])]


def test_the_command_prints_the_file_and_takes_the_row_of_the_table(
    place: Place, server: Server, capsys: Capture
) -> None:
    http = {"file": FILE, "urls": [f"{server.url}/data.zip"], "md5": server.content.digest("md5"), "size": SIZE}
    words = [f"--folder={place.folder}", f"--row={json.dumps({'title': 'AMOS22', 'http': http})}"]
    assert main(words) == 0
    shown = capsys.readouterr()
    assert shown.out == f"{place.target}\n"
    assert f"fetching {FILE} from {server.url}/data.zip: 1.0 MB to come, {place.folder} has" in shown.err
    assert main([words[0], '--row={"title": "x"}']) == 1
    assert capsys.readouterr().err == "error: --row has no http; this fetches files of web servers only\n"


def test_the_progress_begins_at_what_was_there(place: Place, capsys: Capture) -> None:
    place.leave((0, 5 * SEGMENT), (6 * SEGMENT, SIZE))
    place.fetch()
    shown = capsys.readouterr().err
    assert "100.0 kB to come (901.2 kB of it are there)" in shown
    first, last = [line for line in shown.splitlines() if line.startswith(f"{FILE}: ")]
    assert int(first.removeprefix(f"{FILE}:").partition("%")[0]) >= 90
    assert "978k/978k" in last


def test_large_files_are_asked_for_in_large_parts() -> None:
    from workflow.scripts.remote.http_pull import LARGEST, SMALLEST, step

    assert step(Http("a", ("b",)), 47 * 10**6) == SMALLEST
    assert step(Http("a", ("b",)), 197 * 10**9) == LARGEST
    assert SMALLEST < step(Http("a", ("b",)), 10**9) < LARGEST
