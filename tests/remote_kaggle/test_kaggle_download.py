"""`source: remote` of the salt challenge: both layouts, once, and what comes of a download that breaks off."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import processes
from tests.remote_kaggle.conftest import COMPETITION, KEY, Kaggle
from tests.salt_data import layouts
from tests.salt_data.conftest import Fetched
from workflow.scripts.remote import http
from workflow.scripts.remote.table import Http
from workflow.scripts.slipway import kaggle_run

AGAIN = "run it again, and it goes on from there"
ZIP = f"{COMPETITION}.zip"
LAYOUTS = [layouts.old, layouts.current]


@pytest.fixture(params=LAYOUTS)
def gives(request: pytest.FixtureRequest, fetched: Fetched, tmp_path: Path) -> Path:
    """What Kaggle has."""
    layout: Callable[[Path, Path], Path] = request.param
    return layout(fetched.root, tmp_path / "kaggle")


@pytest.fixture
def one(fetched: Fetched, tmp_path: Path) -> Path:
    return layouts.current(fetched.root, tmp_path / "kaggle")


def same(kaggle: Kaggle, fetched: Fetched) -> bool:
    def of(content: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in content.items() if name not in ("root", "source")}

    found: dict[str, Any] = json.loads(kaggle.manifest.read_text())
    assert found["source"] == "remote"
    return of(found) == of(fetched.content)


def test_what_kaggle_gives_is_fetched_and_unpacked_once(gives: Path, kaggle: Kaggle, fetched: Fetched) -> None:
    kaggle.answer(gives=gives)
    assert kaggle.run()[0] == 0
    assert same(kaggle, fetched)
    assert kaggle.calls()[0]["words"] == ["competitions", "download", "-c", COMPETITION, "-p", str(kaggle.work)]
    before = {path: path.stat().st_mtime_ns for path in kaggle.scratch.rglob("*")}
    assert kaggle.run()[0] == 0
    assert {path: path.stat().st_mtime_ns for path in kaggle.scratch.rglob("*")} == before
    assert len(kaggle.calls()) == 1
    assert sorted(path.name.split("-")[0] for path in kaggle.scratch.iterdir()) == ["remote", "unpacked"]
    assert [path.name for path in kaggle.place.parent.iterdir()] == [COMPETITION]


def test_another_zip_than_the_known_one_is_told_and_taken(one: Path, kaggle: Kaggle, fetched: Fetched) -> None:
    kaggle.answer(gives=one)
    got = hashlib.md5((one / ZIP).read_bytes()).hexdigest()
    row = {"competition": COMPETITION, "about": 1000}
    status, said = kaggle.run(kaggle={**row, "md5": "0" * 32})
    assert status == 0
    assert f"note: {kaggle.place / ZIP} is not the known one (its md5 is {got}, not {'0' * 32})" in said
    assert same(kaggle, fetched)
    shutil.rmtree(kaggle.place)
    assert f"note: {kaggle.place / ZIP} has the checksum that is known" in kaggle.run(kaggle={**row, "md5": got})[1]


def test_a_mirror_of_the_one_zip_will_do(
    one: Path,
    kaggle: Kaggle,
    fetched: Fetched,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def copied(wanted: Http, folder: Path, key: str) -> Path:
        assert (wanted.urls, key) == (("https://mirror.example/salt.zip",), "sources.data.salt")
        folder.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy2(one / ZIP, folder / wanted.file))

    monkeypatch.setattr(http, "fetch", copied)
    monkeypatch.setenv("PATH", "")
    mirror = {"file": "salt.zip", "urls": ["https://mirror.example/salt.zip"]}
    assert kaggle.run(kaggle=None, http=mirror)[0] == 0
    assert same(kaggle, fetched)


def test_a_download_that_breaks_off_is_gone_on_with(gives: Path, kaggle: Kaggle, fetched: Fetched) -> None:
    first = min(gives.glob("*.zip"))
    kaggle.answer(1, gives=gives, breaks=first.name, says=["('Connection aborted.', RemoteDisconnected('x'))\n"])
    said = "('Connection aborted.', RemoteDisconnected('x'))"
    assert kaggle.error() == (
        f"error: Kaggle cannot be reached (the program says: {said}); see that this machine has a network, and {AGAIN}"
    )
    assert not kaggle.place.exists()
    kaggle.answer(gives=gives)
    assert kaggle.run()[0] == 0
    assert same(kaggle, fetched)
    half = first.stat().st_size // 2
    assert [begun.get(first.name) for begun in kaggle.begun()] == [0, half]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_ended_ends_the_program_and_the_next_one_goes_on(
    number: signal.Signals,
    one: Path,
    kaggle: Kaggle,
    fetched: Fetched,
    tmp_path: Path,
) -> None:
    kaggle.answer(gives=one, breaks=ZIP, hangs=True)
    log = tmp_path / "log"
    process = processes.start("workflow.scripts.salt.fetch", kaggle.words(), log)
    [child] = _children_when(process, lambda: len(kaggle.calls()) == 1, log)
    status = processes.send_when(process, lambda: True, number, log)
    _wait_for_end_of(child)
    kaggle.hidden(log.read_text())
    if number == signal.SIGKILL:
        assert status == -signal.SIGKILL
    else:
        assert status == 1
        said = f"error: the download from Kaggle was stopped before its end; {AGAIN}"
        assert log.read_text().splitlines()[-1] == said
    kaggle.answer(gives=one)
    assert kaggle.run()[0] == 0
    assert same(kaggle, fetched)
    assert kaggle.begun()[1] == {ZIP: (one / ZIP).stat().st_size // 2}


def test_a_zip_that_is_not_whole_is_not_taken_although_the_program_is_content(
    one: Path,
    kaggle: Kaggle,
    fetched: Fetched,
) -> None:
    kaggle.answer(gives=one, breaks=ZIP, unnoticed=True)
    assert kaggle.error() == f"error: {ZIP}, as Kaggle gave it, is no whole zip; run it again, which fetches it anew"
    assert not list(kaggle.place.parent.iterdir())
    kaggle.answer(gives=one)
    assert kaggle.run()[0] == 0
    assert same(kaggle, fetched)
    assert kaggle.begun() == [{ZIP: 0}, {ZIP: 0}]


@pytest.mark.parametrize("breaks", [ZIP, None])
def test_a_program_that_ends_well_without_the_data_is_not_believed(
    breaks: str | None, one: Path, kaggle: Kaggle
) -> None:
    """As it does after a Ctrl-C."""
    there: dict[str, Any] = {"gives": one, "breaks": breaks} if breaks else {}
    kaggle.answer(says=["User cancelled operation\n"], **there)
    said = f"ended before {COMPETITION} was there (it says: User cancelled operation)"
    assert kaggle.error() == f"error: Kaggle's program {said}; {AGAIN}"
    assert not kaggle.place.exists()


def test_a_program_that_falls_silent_is_ended(one: Path, kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kaggle_run, "SILENCE", 1.0)
    kaggle.answer(gives=one, breaks=ZIP, hangs=True)
    said = f"error: kaggle has said nothing for 0 minutes; see to the network, and {AGAIN}"
    assert kaggle.error() == said


def test_there_must_be_room_before_anything_is_asked_for(kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(kaggle.folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1500))
    assert kaggle.error() == (
        f"error: {kaggle.place.parent} has 1.5 kB free and salt (what Kaggle gives, and what that holds) takes 2.0 kB; "
        "make room there or move scratch"
    )
    assert kaggle.calls() == []


def test_terms_are_accepted_first(kaggle: Kaggle) -> None:
    said = kaggle.error(licence={"name": "TGS", "terms": ["not for wells"]})
    assert said.startswith("error: add 'TGS' to the key accept if you agree to the licence of salt; ")
    assert kaggle.calls() == []


def test_a_row_without_what_is_needed_names_it(kaggle: Kaggle, one: Path) -> None:
    assert kaggle.error(kaggle=None) == "error: sources.data.salt has neither kaggle nor http; correct it under sources"
    kaggle.answer(gives=one)
    assert kaggle.error(archive=None) == (
        "error: sources.data.salt must have archive, as config/sources.yaml has it; correct it under sources"
    )


def test_progress_in_a_log_is_a_line_now_and_then(one: Path, kaggle: Kaggle) -> None:
    kaggle.answer(gives=one, progress=50, says=["Downloading it\n"])
    lines = kaggle.run()[1].splitlines()
    assert [line for line in lines if "MB/s" in line and "/50.0M" in line] == [
        "0%|████      | 0.0M/50.0M [00:00<00:01, 30.1MB/s]"
    ]
    assert "Downloading it" in lines
    assert KEY not in str(lines)


def _children_when(process: subprocess.Popen[bytes], due: Callable[[], bool], log: Path) -> list[int]:
    """The program lives in a session of its own, so it is found by its parent."""
    while not due():
        assert process.poll() is None, log.read_text()
        time.sleep(0.01)
    threads = Path(f"/proc/{process.pid}/task").glob("*/children")
    return [int(word) for thread in threads for word in thread.read_text().split()]


def _wait_for_end_of(pid: int) -> None:
    until = time.monotonic() + 30
    while _alive(pid):
        assert time.monotonic() < until
        time.sleep(0.01)


def _alive(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
