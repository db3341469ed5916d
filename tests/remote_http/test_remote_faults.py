"""Servers that are busy, break off, change their minds or give something else: each handled, and told in a sentence."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from tests.remote_http.fetches import AGAIN, FILE, KEY, SEGMENT, SIZE, STALLED, Place, segments
from tests.remote_http.server import Fault, Server
from workflow.scripts.remote.http_ask import seconds
from workflow.scripts.remote.http_line import Work
from workflow.scripts.remote.http_part import held
from workflow.scripts.remote.http_wait import Failures, Manner

Capture = pytest.CaptureFixture[str]
PAGE = b"<!DOCTYPE html>\n<html><head><title>Log \x1b[31min\n &amp; go on</title></head></html>"
BYTES = {"Content-Type": "application/octet-stream"}


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(place: Place, server: Server, capsys: Capture, status: int) -> None:
    server.faults.extend([Fault(status), Fault(status), None, Fault(status)])
    place.fetch()
    assert place.whole()
    first, second = segments()[:2]
    assert server.ranges_asked()[:5] == [first, first, first, second, second]
    told = [line for line in capsys.readouterr().err.splitlines() if "asked again" in line]
    assert len(told) == 1, "once, and not for each"
    assert told[0].startswith(f"{server.url}/data.zip answers {status} (")


def test_trouble_of_many_connections_is_one_line(place: Place, server: Server, capsys: Capture) -> None:
    server.faults.extend([None, *[Fault(503)] * 4])
    place.fetch(connections=4)
    assert place.whole()
    assert capsys.readouterr().err.count("answers 503 (Service Unavailable); asked again in") == 1


def test_a_server_that_stays_busy_is_given_up(place: Place, server: Server) -> None:
    server.always["/data.zip"] = Fault(500)
    assert place.refused() == (
        f"{FILE} ({KEY}) could not be fetched: {server.url}/data.zip answers 500 (Internal Server Error), 4 times in a "
        f"row; nothing of it came; correct {KEY}.http.urls, or put the file there yourself as {place.target}"
    )
    assert len(server.asked) == 4
    assert list(place.folder.iterdir()) == []


def test_retry_after_is_kept_and_where_it_is_long_told(place: Place, server: Server, capsys: Capture) -> None:
    server.faults.append(Fault(503, {"Retry-After": "1"}))
    begun = time.monotonic()
    place.fetch()
    assert time.monotonic() - begun >= 1
    assert "asked again in 1.0 s" in capsys.readouterr().err
    place.target.unlink()
    for long in ("600", formatdate(time.time() + 600, usegmt=True)):
        server.asked.clear()
        server.faults.append(Fault(429, {"Retry-After": long}))
        assert "answers 429 (Too Many Requests), and asks to wait for 10 minutes;" in place.refused()
        assert len(server.asked) == 1
    assert [seconds(text) for text in ("", "soon", "7", formatdate(1, usegmt=True))] == [0, 0, 7, 0]


def test_what_breaks_off_goes_on_from_there(place: Place, server: Server) -> None:
    server.faults.extend([None, Fault(cut=40_000), Fault(drop=True)])
    place.fetch()
    assert place.whole()
    first, second, third = segments()[:3]
    rest = (second[0] + 40_000, second[1])
    assert server.ranges_asked()[:5] == [first, second, rest, rest, third]


def test_tries_are_counted_since_the_last_byte(place: Place, server: Server) -> None:
    server.faults.extend([Fault(cut=10_000)] * 9)
    place.fetch()
    assert place.whole()
    assert [asked[0] for asked in server.ranges_asked() if asked][:10] == [*range(0, 90_001, 10_000)]


def test_a_connection_that_says_nothing_any_more_is_left(place: Place, server: Server, capsys: Capture) -> None:
    server.faults.extend([None, Fault(stall=40_000)])
    place.fetch(manner=STALLED)
    assert place.whole()
    second = segments()[1]
    assert (second[0] + 40_000, second[1]) in server.ranges_asked()
    assert f"{server.url}/data.zip: it says nothing any more; asked again" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "asks who you are (401); put a name and a password for its host into ~/.netrc"),
        (403, "is not given to you (403); see whether it asks for something first, or has moved"),
        (404, "is not there (404)"),
        (410, "is not there any more (410)"),
        (501, "answers 501 (Not Implemented)"),
        (204, "answers 204 (No Content)"),
        (799, "answers 799"),
    ],
)
def test_a_refusal_is_not_asked_twice_and_the_next_address_is(
    place: Place, server: Server, capsys: Capture, status: int, words: str
) -> None:
    server.always["/moved"] = Fault(status)
    assert f"could not be fetched: {server.url}/moved {words}; nothing of it came" in place.refused("/moved?key=hidden")
    assert len(server.asked) == 1
    capsys.readouterr()
    place.fetch("/moved?key=hidden", "/data.zip")
    assert place.whole()
    told = capsys.readouterr().err
    assert told.startswith(f"{server.url}/moved {words}; trying the next address\n")
    assert "hidden" not in told


def test_all_addresses_are_told_of_where_none_gives_it(place: Place, server: Server) -> None:
    server.always |= {"/a": Fault(403), "/b": Fault(503), "/c": Fault(404)}
    said = place.refused("/a", "/b", "/c")
    first, second, third = (f"{server.url}/{name} " for name in "abc")
    assert said.index(first + "is not given") < said.index(second + "answers 503") < said.index(third + "is not there")
    assert [one.path for one in server.asked] == ["/a", "/b", "/b", "/c"], "fewer tries where another is left"


@pytest.mark.parametrize("headers", [{"Content-Type": "text/html; charset=utf-8"}, BYTES])
@pytest.mark.parametrize("status", [200, 206])
def test_a_web_page_is_no_data(place: Place, server: Server, headers: dict[str, str], status: int) -> None:
    sent = {**headers, "Content-Range": f"bytes 0-{len(PAGE) - 1}/{len(PAGE)}"}
    server.always["/page"] = Fault(status, sent, PAGE)
    said = place.refused("/page", sha256="")
    assert f"{server.url}/page gave a web page ('Log [31min & go on') instead of {FILE}; nothing of it came" in said


def test_a_web_page_midway_is_none_either_and_what_came_is_kept(place: Place, server: Server) -> None:
    server.faults.extend([None, Fault(200, {"Content-Type": "text/html"}, PAGE)])
    assert f"gave a web page ('Log [31min & go on') instead of {FILE}; what came is kept, {AGAIN}" in place.refused()
    place.fetch()
    assert place.whole()
    assert server.ranges_asked() == [*segments()[:2], *segments()[1:]]


def test_data_that_is_called_a_page_is_data(place: Place, server: Server) -> None:
    server.headers = {"Content-Type": "text/html"}
    place.fetch(sha256="")
    assert place.whole()


def test_a_server_that_gives_no_parts_is_one_connection_and_told_once(
    place: Place, server: Server, capsys: Capture
) -> None:
    server.ranges = False
    place.fetch(connections=4)
    assert place.whole()
    assert (server.ranges_asked(), server.connections) == ([segments()[0]], 1)
    assert capsys.readouterr().err.count("gives no parts: it comes by one connection, and anew if that breaks") == 1


def test_a_server_that_gives_no_parts_and_breaks_off_begins_again(
    place: Place, server: Server, capsys: Capture
) -> None:
    server.ranges = False
    server.faults.append(Fault(cut=40_000))
    place.fetch()
    assert place.whole()
    assert server.ranges_asked() == [(0, SEGMENT), (40_000, SIZE), (0, SEGMENT)]
    words = f"{server.url}/data.zip gives no parts, and broke off after 40.0 kB"
    assert f"{words}; it is fetched from its beginning\n" in capsys.readouterr().err
    place.target.unlink()
    server.always["/data.zip"] = Fault(cut=40_000)
    assert f"{words} (4 times); nothing of it came" in place.refused()


@pytest.mark.parametrize("how", ["If-Range", "its ETag", "its time", 412, 416])
def test_a_file_that_changes_midway_is_fetched_from_its_beginning(
    place: Place, server: Server, capsys: Capture, how: str | int
) -> None:
    server.careless = how != "If-Range"
    if how == "its time":
        server.etag, server.modified = "", formatdate(1, usegmt=True)
        server.faults.extend([None, None, Fault(headers={"Last-Modified": formatdate(2, usegmt=True)})])
    else:
        changed = Fault(how) if isinstance(how, int) else Fault(version=2)
        server.faults.extend([None, None, changed])
    place.fetch(sha256="")
    assert place.whole()
    assert server.ranges_asked() == [*segments()[:3], *segments()]
    told = f"{server.url}/data.zip changed while it was fetched; it is fetched from its beginning\n"
    assert capsys.readouterr().err.count(told) == 1


def test_a_file_that_changes_twice_is_an_error(place: Place, server: Server) -> None:
    server.faults.extend([None, Fault(version=2), None, None, Fault(version=3)])
    said = place.refused(sha256="")
    assert f"{server.url}/data.zip changed while it was fetched (2 times); nothing of it came" in said


def test_odd_answers_are_asked_for_again(place: Place, server: Server, capsys: Capture) -> None:
    odd = [{"Content-Range": text} for text in ("bytes 7-99/1001234", "bytes 0-9/*", "nonsense")]
    server.faults.extend([Fault(headers=odd[0]), Fault(headers=odd[1]), Fault(headers=odd[2]), None, Fault(plain=True)])
    place.fetch()
    assert place.whole()
    told = capsys.readouterr().err
    assert "sends other bytes than it was asked for; asked again" in told
    assert "does not tell which bytes it sends; asked again" in told
    assert "sent the whole file where a part of it was asked for; asked again" in told


def test_a_server_that_refuses_every_range_is_asked_without(place: Place, server: Server) -> None:
    server.ranges = False
    server.faults.append(Fault(416))
    place.fetch()
    assert place.whole()
    assert server.ranges_asked() == [segments()[0], None]


def test_bytes_in_another_form_are_refused(place: Place, server: Server) -> None:
    server.headers = {"Content-Encoding": "gzip"}
    said = place.refused()
    assert f"{server.url}/data.zip is sent in another form (gzip), which was not asked for; nothing of it came" in said


def test_a_file_of_another_size_is_refused_before_it_comes(place: Place, server: Server) -> None:
    said = place.refused(size=SIZE + 1)
    assert f"{server.url}/data.zip has {SIZE} bytes, and not {SIZE + 1} as the table of sources says" in said
    assert len(server.asked) == 1


def test_a_connection_too_many_leaves_its_part_to_the_others(place: Place, server: Server, capsys: Capture) -> None:
    place.folder.mkdir()
    with held(place.target) as part:
        assert part
        work = Work(server.url, FILE, part, Manner(), 8)
        work.working = 2
        assert not work.retires((5, 9), Failures(here=2, strikes=1))
        assert not work.retires((5, 9), Failures(here=3, strikes=2)), "nobody gets anything"
        assert work.retires((5, 9), Failures(here=3, strikes=1))
        assert (list(work.due), work.working) == ([(5, 9)], 1)
        assert not work.retires((5, 9), Failures(here=3, strikes=1)), "the last one stays"
    assert capsys.readouterr().err == f"{server.url} does not serve so many connections; there is one less now\n"
