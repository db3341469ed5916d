"""JupyterLab: real, behind a password, on the loopback interface, and gone when it is told to end."""

from __future__ import annotations

import http.cookiejar
import json
import re
import signal
import socket
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.salt_learn.servers import LOOPBACK, Started, below, heard_at, started
from workflow.scripts.salt import jupyter, lesson, notebook

MODULE = "workflow.scripts.salt.notebook"
PASSWORD = re.compile(r"and give the password (\S+)\n")
PLANTED = {"JUPYTER_TOKEN": "planted", "JUPYTER_PORT": "1", "SLIPWAY_SALT_MANIFEST": "another"}
SOURCE = (
    "import os, sys, containers\n"
    "print(os.path.dirname(os.path.dirname(containers.__file__)))\n"
    "print(sys.executable, os.environ.get('SLIPWAY_SALT_MANIFEST'))"
)


def original(folder: Path, source: str = SOURCE) -> Path:
    cell: dict[str, Any] = {
        "cell_type": "code",
        "execution_count": None,
        "id": "one",
        "metadata": {},
        "outputs": [],
        "source": source,
    }
    kernel = {"display_name": "Slipway", "language": "python", "name": "python3"}
    content = {"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path = folder / "lesson.ipynb"
    path.write_text(json.dumps(content))
    return path


def words(folder: Path, port: int = 0) -> list[str | Path]:
    (folder / "manifest.json").write_text("{}")
    data: list[str | Path] = ["--data", folder / "manifest.json"]
    return ["--notebook", folder / "lesson.ipynb", "--folder", folder / "mine", "--port", str(port), *data]


def password_of(server: Started) -> str:
    server.port()
    found = PASSWORD.search(server.text())
    assert found
    return found[1]


class Visitor:
    """A browser with cookies."""

    def __init__(self, port: int) -> None:
        self.root = f"http://127.0.0.1:{port}"
        self.cookies = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.cookies)
        )

    def get(self, path: str) -> Any:
        with self.opener.open(self.root + path) as answer:
            return json.load(answer)

    def refused(self, path: str) -> bool:
        try:
            self.get(path)
        except urllib.error.HTTPError as error:
            return error.code == 403
        return False

    def log_in(self, password: str) -> bool:
        self.opener.open(self.root + "/login").close()
        form = urllib.parse.urlencode({"_xsrf": self.mark(), "password": password}).encode()
        try:
            with self.opener.open(self.root + "/login?next=%2Fapi%2Fstatus", form) as answer:
                return bool(answer.url.endswith("/api/status"))
        except urllib.error.HTTPError:
            return False

    def start_kernel(self) -> None:
        headers = {"X-XSRFToken": self.mark(), "Content-Type": "application/json"}
        asked = urllib.request.Request(self.root + "/api/kernels", b'{"name": "python3"}', headers)
        with self.opener.open(asked) as answer:
            assert answer.status == 201

    def mark(self) -> str:
        return next(cookie.value or "" for cookie in self.cookies if cookie.name == "_xsrf")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    folder = tmp_path_factory.mktemp("notebook")
    original(folder)
    with started(MODULE, words(folder), folder, PLANTED) as found:
        found.port()
        yield found
        assert found.end(signal.SIGINT) == 0
        assert found.log.read_text().count("received signal 15, stopping") == 1


def test_the_password_of_the_terminal_opens_it_and_no_other_does(server: Started) -> None:
    visitor = Visitor(server.port())
    for path in ("/api/contents", "/api/kernels", "/api/contents?token=planted", "/lab/api/settings"):
        assert visitor.refused(path)
    assert not visitor.log_in("wrong")
    assert not visitor.log_in("")
    assert visitor.refused("/api/contents")
    assert visitor.log_in(password_of(server))
    assert [one["name"] for one in visitor.get("/api/contents")["content"]] == ["lesson.ipynb"]
    assert list(visitor.get("/api/kernelspecs")["kernelspecs"]) == ["python3"]
    with visitor.opener.open(f"{visitor.root}/lab/tree/lesson.ipynb") as page:
        assert b"JupyterLab" in page.read()
    before = len(below(server.process.pid))
    visitor.start_kernel()
    assert len(below(server.process.pid)) == before + 1


def test_the_copy_has_run_with_this_python_on_these_data_and_finds_the_repository(server: Started) -> None:
    copy = server.said.parent / "mine" / "lesson.ipynb"
    content = json.loads(copy.read_text())
    manifest = server.said.parent / "manifest.json"
    said = "".join(content["cells"][0]["outputs"][0]["text"]).splitlines()
    assert said == [str(Path(notebook.__file__).parents[3]), f"{sys.executable} {manifest}"]


def test_only_this_machine_can_reach_it(server: Started) -> None:
    assert heard_at(server.port()) == LOOPBACK


def test_the_password_is_on_the_terminal_and_nowhere_else(server: Started) -> None:
    password = password_of(server)
    assert re.fullmatch(r"([a-z2-9]{4}-){3}[a-z2-9]{4}", password)
    secret = password.encode()
    assert server.said.read_bytes().count(secret) == 1
    assert secret not in server.log.read_bytes()
    for pid in (server.process.pid, *below(server.process.pid)):
        for part in ("cmdline", "environ"):
            assert secret not in (Path("/proc") / str(pid) / part).read_bytes()
    for place in (Path(name) for name in private(server)):
        assert place.stat().st_mode & 0o077 == 0
        for file in place.rglob("*"):
            assert not file.is_file() or secret not in file.read_bytes()


def test_the_terminal_shows_little(server: Started) -> None:
    port = server.port()
    copy = server.said.parent / "mine" / "lesson.ipynb"
    first, second, third = server.text().splitlines()
    assert first == f"running lesson.ipynb once, so that {copy} opens with its pictures"
    address = f"http://127.0.0.1:{port}/lab/tree/lesson.ipynb"
    assert second == f"JupyterLab: open {address} and give the password {password_of(server)}"
    assert third.startswith(f"From another machine run 'ssh -N -L {port}:127.0.0.1:{port} {socket.gethostname()}'")


def private(server: Started) -> set[str]:
    """The folders in which Jupyter keeps its settings and keys."""
    found = set()
    for pid in below(server.process.pid):
        for word in (Path("/proc") / str(pid) / "environ").read_bytes().split(b"\0"):
            name, _, value = word.decode().partition("=")
            if name.startswith("JUPYTER"):
                found.add(value)
    assert len(found) == 3
    return found


def test_an_edited_copy_stays_and_a_newer_original_is_put_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy, log = tmp_path / "mine" / "lesson.ipynb", tmp_path / "log"

    def copied(source: str) -> tuple[list[str], list[str]]:
        first = original(tmp_path, source)
        with jupyter.prepared(None) as settled:
            assert lesson.copied(first, copy.parent, settled, log) == copy
        out, err = capsys.readouterr()
        return out.splitlines(), err.splitlines()

    assert copied("print(1)") == ([f"running lesson.ipynb once, so that {copy} opens with its pictures"], [])
    edited = json.loads(copy.read_text())
    assert edited["cells"][0]["outputs"][0]["text"] == ["1\n"]
    edited["cells"][0]["source"] = "print('mine')"
    copy.write_text(json.dumps(edited))
    mine = copy.read_bytes()
    assert copied("print(1)") == ([], [])
    assert list(copy.parent.iterdir()) == [copy]
    out, err = copied("raise SystemError('planted')")
    [newer] = [one for one in copy.parent.iterdir() if one != copy]
    stays = f"{copy} stays as it is; the repository's notebook has changed since, and is {newer.name} beside it"
    assert out == [f"running lesson.ipynb once, so that {newer} opens with its pictures", stays]
    assert err == [f"warning: it does not run to its end; see {log}, which ends with: SystemError: planted"]
    assert copied("raise SystemError('planted')") == ([stays], [])
    assert re.fullmatch(r"lesson-[0-9a-f]{8}\.ipynb", newer.name)
    assert json.loads(newer.read_text())["cells"][0]["outputs"] == []
    assert copy.read_bytes() == mine


def test_a_stop_while_the_copy_is_made_leaves_none(tmp_path: Path) -> None:
    original(tmp_path, "import time; open('begun', 'w').close(); time.sleep(600)")
    with started(MODULE, words(tmp_path), tmp_path) as server:
        while len(below(server.process.pid)) < 2:
            assert server.process.poll() is None
        assert server.end(signal.SIGINT) == 0
    assert list((tmp_path / "mine").iterdir()) == []
    assert not PASSWORD.search(server.text())


def test_a_taken_port_names_its_key_before_anything_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    original(tmp_path)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert notebook.main([*map(str, words(tmp_path, port)), "--log", str(tmp_path / "log")]) == 1
    key = "challenges.salt.notebook.port"
    said = f"error: port {port} for JupyterLab is taken; set {key} to another one, or to 0 for any\n"
    assert capsys.readouterr().err == said
    assert not (tmp_path / "mine").exists()


def test_what_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = words(tmp_path)
    log = ["--log", str(tmp_path / "log")]
    assert notebook.main([*map(str, given), *log]) == 1
    file = tmp_path / "lesson.ipynb"
    end = "is not there; name the right file, or run the rule that makes it\n"
    assert capsys.readouterr().err == f"error: --notebook {file} {end}"
    file.write_text("{}")
    assert notebook.main([*map(str, given), *log]) == 1
    assert f"error: --notebook {file} is no notebook ('metadata'); name another file\n" in capsys.readouterr().err
    (tmp_path / "manifest.json").unlink()
    assert notebook.main([*map(str, given), *log]) == 1
    assert capsys.readouterr().err == f"error: --data {tmp_path / 'manifest.json'} {end}"
