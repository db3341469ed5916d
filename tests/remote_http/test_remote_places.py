"""Redirects, certificates, proxies, names and passwords: taken as they should be, and never told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.remote_http.certificate import certificate
from tests.remote_http.fetches import FILE, QUICK, SIZE, Place, segments
from tests.remote_http.server import Fault, Server, serving
from workflow.scripts.remote.http_words import shown

Capture = pytest.CaptureFixture[str]
HIDDEN = "planted-secret"


def everything(place: Place, capsys: Capture) -> str:
    """All that a fetch says and leaves, but the data."""
    said = capsys.readouterr()
    left = [one.read_text() for one in place.folder.iterdir() if one.suffix == ".json" or one == place.journal]
    return "\n".join([said.out, said.err, *left])


def netrc(home: Path) -> None:
    (home / ".netrc").write_text(f"machine 127.0.0.1 login me password {HIDDEN}\n")
    (home / ".netrc").chmod(0o600)


def test_a_redirect_is_asked_for_anew_each_time_and_its_signature_is_not_told(
    place: Place, server: Server, capsys: Capture
) -> None:
    server.always["/data.zip"] = Fault(302, {"Location": f"{server.url}/signed?signature={HIDDEN}"})
    place.fetch(f"/data.zip?token={HIDDEN}")
    assert place.whole()
    assert [one.path.partition("?")[0] for one in server.asked] == ["/data.zip", "/signed"] * 11
    assert [one.range for one in server.asked[1::2]] == segments()
    server.always["/signed"] = Fault(403)
    place.target.unlink()
    said = place.refused(f"/data.zip?token={HIDDEN}")
    assert f"{server.url}/data.zip is not given to you (403)" in said
    assert HIDDEN not in said + everything(place, capsys)


def test_names_and_passwords_come_from_netrc_and_go_to_their_host_alone(
    place: Place, server: Server, tmp_path: Path, capsys: Capture
) -> None:
    netrc(tmp_path)
    other = server.url.replace("127.0.0.1", "localhost")
    server.always["/data.zip"] = Fault(302, {"Location": f"{other}/elsewhere"})
    place.fetch()
    assert place.whole()
    assert all("authorization" in one.headers for one in server.asked[::2])
    assert not any("authorization" in one.headers for one in server.asked[1::2])
    assert HIDDEN not in everything(place, capsys)


def test_redirects_that_lead_nowhere_are_sentences(place: Place, server: Server) -> None:
    server.always["/circle"] = Fault(302, {"Location": "/circle"})
    server.always["/file"] = Fault(302, {"Location": "file:///etc/hostname"})
    assert f"{server.url}/circle leads in a circle" in place.refused("/circle")
    assert f"{server.url}/file leads to an address that is none" in place.refused("/file")


def test_https_needs_a_certificate_that_is_trusted(alone: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with serving(SIZE, safely=True) as server:
        place = Place(server, tmp_path / "raw")
        said = place.refused()
        assert f"{server.url}/data.zip: its certificate is not to be trusted (self-signed certificate" in said
        assert "; see REQUESTS_CA_BUNDLE and the clock; nothing of it came" in said
        assert server.asked == []
        alone.setenv("REQUESTS_CA_BUNDLE", str(certificate()))
        place.fetch(connections=4)
        assert place.whole()


def test_https_is_not_left_for_http(alone: pytest.MonkeyPatch, server: Server, tmp_path: Path) -> None:
    alone.setenv("REQUESTS_CA_BUNDLE", str(certificate()))
    with serving(SIZE, safely=True) as safe:
        safe.always["/data.zip"] = Fault(302, {"Location": f"{server.url}/data.zip?signature={HIDDEN}"})
        said = Place(safe, tmp_path / "raw").refused()
        assert f"{safe.url}/data.zip leads away from https to {server.url}/data.zip; nothing" in said
        assert HIDDEN not in said
        assert server.asked == []


def test_a_proxy_of_the_environment_is_asked_and_its_password_not_told(
    alone: pytest.MonkeyPatch, place: Place, server: Server, capsys: Capture
) -> None:
    proxy = server.url.replace("://", f"://me:{HIDDEN}@")
    alone.setenv("HTTP_PROXY", proxy)
    place.fetch(urls=("http://data.example/data.zip",))
    assert place.whole()
    assert {one.path for one in server.asked} == {"http://data.example/data.zip"}
    place.target.unlink()
    alone.setenv("HTTP_PROXY", proxy.rpartition(":")[0] + ":9")  # where nobody listens
    said = place.refused(urls=("http://data.example/data.zip",))
    assert "http://data.example/data.zip: the proxy of HTTP_PROXY or HTTPS_PROXY does not let through to it" in said
    assert HIDDEN not in said + everything(place, capsys)


def test_a_server_that_cannot_be_reached_gives_way_to_the_next(place: Place, server: Server, capsys: Capture) -> None:
    gone, unknown = "http://127.0.0.1:9/data.zip", "http://nobody.invalid/data.zip"
    said = place.refused(urls=(f"{gone}?key={HIDDEN}", unknown))
    assert f"{gone}: connection refused, 2 times in a row; {unknown}: its name is not known, 4 times in a row;" in said
    place.fetch(urls=(gone, f"{server.url}/data.zip"))
    assert place.whole()
    assert HIDDEN not in said + everything(place, capsys)


def test_a_server_that_does_not_answer_is_told(place: Place, server: Server) -> None:
    from dataclasses import replace

    server.always["/data.zip"] = Fault(stall=0)
    said = place.refused(manner=replace(QUICK, read=0.2, tries=2))
    assert f"{FILE} (sources.data.amos) could not be fetched: {server.url}/data.zip: it says nothing any more" in said


def test_an_address_is_shown_without_what_may_be_secret() -> None:
    assert shown(f"https://me:{HIDDEN}@data.example:8443/a/b.zip?key={HIDDEN}#x") == "https://data.example:8443/a/b.zip"
