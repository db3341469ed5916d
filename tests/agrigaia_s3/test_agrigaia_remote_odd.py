"""`source: remote` from a server that breaks off, refuses, and names oddly; a stop, and a full disk."""

from __future__ import annotations

import errno
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.agrigaia_s3.remotes import WHERE, Remote, error, files
from tests.agrigaia_s3.test_agrigaia_odd_servers import BODY, Odd
from tests.processes import send_when, start
from workflow.scripts.remote import s3


@pytest.fixture
def odd(data: Path) -> Iterator[Odd]:
    """It has a data set."""
    one = Odd()
    one.files = {f"datasets/1/{name}": body for name, body in files(data).items()}
    yield one
    one.server.shutdown()
    one.server.server_close()


@pytest.fixture
def remote(owner: None, odd: Odd, tmp_path: Path) -> Remote:  # noqa: ARG001
    return Remote(tmp_path, odd.url)


def test_names_that_lead_out_of_the_folder_are_refused(
    remote: Remote, odd: Odd, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd.files |= {"datasets/1/../evil.jpg": b"evil", "datasets/1/a/../../evil.jpg": b"evil"}
    assert remote.fetch() == 0
    left_out = "'datasets/1/../evil.jpg', 'datasets/1/a/../../evil.jpg'"
    assert f"warning: left out, since no file can have such a name: {left_out}\n" in capsys.readouterr().err
    assert files(remote.root) == files(data)
    assert not list(remote.folder.rglob("evil.jpg"))


def test_what_was_broken_off_goes_on(remote: Remote, odd: Odd, data: Path) -> None:
    odd.breaks = 10**6
    assert remote.fetch() == 1
    root = next((remote.folder / "raw" / "remote").glob("*/datasets/1"))
    assert files(root) == {}
    odd.breaks, odd.asked = 0, []
    assert remote.fetch() == 0
    assert files(root) == files(data)
    assert any(str(wanted).startswith("bytes=") for wanted in odd.asked)


def size_of(path: Path) -> int:
    """Its size, or -1 once it has got its own name."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1


def test_a_stop_keeps_what_came_and_the_next_run_goes_on(
    remote: Remote, odd: Odd, capsys: pytest.CaptureFixture[str]
) -> None:
    odd.files["datasets/1/big.tif"] = BODY
    odd.waits = waits = threading.Event()
    log, places = remote.folder / "log", remote.folder / "raw" / "remote"
    process = start("workflow.scripts.agrigaia.fetch", remote.words(), log)

    def due() -> bool:
        """All but the big one have come, and half of that."""
        parts = [path for path in places.glob("*/datasets/.1.sync/*.object") if size_of(path) == 2 << 20]
        come = [path for path in places.glob("*/datasets/1/**/*") if path.is_file()]
        there = len(come) == 11 and len(parts) == 1
        if there:
            threading.Timer(2.0, waits.set).start()  # the thread that waits for the rest ends with it
        return there

    assert send_when(process, due, signal.SIGTERM, log) == 1
    said = "error: fetching was stopped before its end; run it again, and it goes on from there"
    assert log.read_text().splitlines()[-1] == said
    assert not list(places.glob("*/datasets/1/big.tif"))
    odd.asked = []
    assert remote.fetch() == 0
    assert [str(wanted)[:6] for wanted in odd.asked] == ["bytes="]
    assert next(places.glob("*/datasets/1/big.tif")).read_bytes() == BODY
    assert "12 files, 1 of them fetched (5.1 MB), 11 already there; 0 removed here\n" in capsys.readouterr().out


def test_a_full_disk_is_told_before_and_meanwhile(
    remote: Remote, odd: Odd, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        free = shutil.disk_usage("/")._replace(free=1000)
        patch.setattr(shutil, "disk_usage", lambda _: free)
        assert remote.fetch() == 1
        assert error(capsys).endswith("/datasets has 0.0 GB free and 0.0 GB are to come; make room there")
    assert odd.asked == []

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "a.part")

    monkeypatch.setattr(s3, "fetch_all", full)
    assert remote.fetch() == 1
    assert error(capsys) == "a.part cannot be written (No space left on device); make room there, or see whose it is"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("ExpiredToken", "the credentials for {host} have expired; get new ones"),
        ("AccessDenied", "{host} does not let these credentials read bucket 'agri'; check {where}.bucket and the "),
        ("SlowDown", "{host} refused to give bucket 'agri' (SlowDown: so it is); ask who runs it"),
    ],
)
def test_a_refusal_is_one_sentence(
    remote: Remote, odd: Odd, code: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    odd.refuses = code
    assert remote.fetch() == 1
    assert error(capsys).startswith(told.format(host=odd.url, where=WHERE))
