"""Runs after runs that were interrupted, were whole, or are still at work."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from containers.kit.errors import UserError
from tests import processes
from tests.remote_unpack.conftest import LIMITS, aes, classic, contents, tarred, zipped
from workflow.scripts.remote.unpack import unpack
from workflow.scripts.remote.unpack_write import Place

FILES = {f"{number % 2}/{number}": bytes([number]) * 3000 for number in range(12)}
HALT, BEFORE = "1/7", 7
MAKES: list[Callable[..., Path]] = [zipped, classic, aes, tarred]
STOPPED = "unpacking was stopped before its end; run it again, and it goes on from there"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The members that are written from now on."""
    names: list[str] = []
    write = Place.write

    def watched(self: Place, *words: object) -> None:
        write(self, *words)  # type: ignore[arg-type]
        names.append(words[1].place)  # type: ignore[attr-defined]

    monkeypatch.setattr(Place, "write", watched)
    return names


def interrupted(path: Path, number: signal.Signals, two: bool, patch: pytest.MonkeyPatch) -> tuple[int, str]:
    """Status and last words of a run that got a signal while it wrote the member HALT."""
    reached, log = path.with_name("reached"), path.with_name("log")
    with patch.context() as one:
        one.setenv("HALT", f"{HALT}:{reached}")
        if two:
            one.setenv("HALT_TWO", "1")
        words = [
            "--archive",
            str(path),
            "--target",
            str(path.with_name("made")),
            "--limits",
            json.dumps(asdict(LIMITS)),
        ]
        process = processes.start("tests.remote_unpack.halting", words, log)
    work = path.with_name(".made.unpacking") / "files"
    others = len(FILES) - 1 if two else BEFORE

    def due() -> bool:
        return reached.exists() and sum(one.is_file() for one in work.rglob("*")) == others

    status = processes.send_when(process, due, number, log)
    assert processes.gone(process)
    said = log.read_text()
    reached.unlink()
    log.unlink()
    return status, said


@pytest.mark.parametrize("make", MAKES)
def test_after_a_kill_only_what_was_not_whole_is_written_again(
    make: Callable[..., Path], written: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(tmp_path / "it", FILES)
    status, _ = interrupted(path, signal.SIGKILL, False, monkeypatch)
    assert (status, (tmp_path / "made").exists()) == (-signal.SIGKILL, False)
    unpack(path, tmp_path / "made", LIMITS)
    assert written == list(FILES)[BEFORE:]
    assert contents(tmp_path / "made") == FILES
    assert {one.name for one in tmp_path.iterdir()} == {"it", "made", ".made.unpacked.json"}


def test_a_kill_ends_all_processes_and_their_work_is_gone_on_with(
    written: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = classic(tmp_path / "it", FILES)
    assert interrupted(path, signal.SIGKILL, True, monkeypatch)[0] == -signal.SIGKILL
    unpack(path, tmp_path / "made", LIMITS)
    assert written == [HALT]
    assert contents(tmp_path / "made") == FILES


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_says_so(
    number: signal.Signals, written: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path / "it", FILES)
    status, said = interrupted(path, number, False, monkeypatch)
    assert (status, said.splitlines()[-1]) == (1, f"error: {STOPPED}")
    unpack(path, tmp_path / "made", LIMITS)
    assert written == list(FILES)[BEFORE:]


@pytest.mark.parametrize("make", MAKES)
def test_what_is_there_is_not_unpacked_again(make: Callable[..., Path], written: list[str], tmp_path: Path) -> None:
    path = make(tmp_path / "it", FILES)
    unpack(path, tmp_path / "made", LIMITS)
    before = {one: one.stat().st_mtime_ns for one in tmp_path.rglob("*")}
    unpack(path, tmp_path / "made", LIMITS)
    path.unlink()  # to save room
    before.pop(path)
    unpack(path, tmp_path / "made", LIMITS)
    assert {one: one.stat().st_mtime_ns for one in tmp_path.rglob("*")} == before
    assert written == list(FILES)


def test_the_same_archive_of_another_time_is_known_by_what_it_holds(written: list[str], tmp_path: Path) -> None:
    path = zipped(tmp_path / "it", FILES)
    unpack(path, tmp_path / "made", LIMITS)
    for _ in range(2):
        os.utime(path, ns=(1, 1))
        unpack(path, tmp_path / "made", LIMITS)
    assert json.loads((tmp_path / ".made.unpacked.json").read_text())["mtime_ns"] == 1
    assert written == list(FILES)
    assert {one.name for one in tmp_path.iterdir()} == {"it", "made", ".made.unpacked.json"}


@pytest.mark.parametrize("size", [3000, 2999])
def test_another_archive_takes_the_place_of_the_first(size: int, tmp_path: Path) -> None:
    unpack(zipped(tmp_path / "it", FILES, 0), tmp_path / "made", LIMITS)
    other = {**FILES, "1/11": b"x" * size}
    os.utime(zipped(tmp_path / "it", other, 0), ns=(1, 1))
    unpack(tmp_path / "it", tmp_path / "made", LIMITS)
    assert contents(tmp_path / "made") == other
    assert {one.name for one in tmp_path.iterdir()} == {"it", "made", ".made.unpacked.json"}


def test_what_was_begun_of_another_archive_is_thrown_away(
    written: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(zipped(tmp_path / "it", FILES), signal.SIGKILL, False, monkeypatch)
    other = {name: data[::-1] + b"x" for name, data in FILES.items()}
    unpack(zipped(tmp_path / "it", other), tmp_path / "made", LIMITS)
    assert written == list(FILES)
    assert contents(tmp_path / "made") == other


@pytest.mark.parametrize("spoil", [lambda path: path.write_bytes(b"torn"), lambda path: path.unlink()])
def test_a_file_that_was_spoilt_meanwhile_is_written_again(
    spoil: Callable[[Path], object], written: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path / "it", FILES)
    interrupted(path, signal.SIGKILL, False, monkeypatch)
    spoil(tmp_path / ".made.unpacking/files/0/2")
    unpack(path, tmp_path / "made", LIMITS)
    assert written == ["0/2", *list(FILES)[BEFORE:]]
    assert contents(tmp_path / "made") == FILES


def test_a_file_that_somebody_put_there_is_not_taken_for_the_archives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path / "it", FILES)
    interrupted(path, signal.SIGKILL, False, monkeypatch)
    work = tmp_path / ".made.unpacking"
    (work / "files/more").write_bytes(b"")
    with pytest.raises(UserError) as caught:
        unpack(path, tmp_path / "made", LIMITS)
    assert str(caught.value) == f"{work}/files was changed by somebody else; remove {work} and run this again"


def test_a_folder_of_unknown_origin_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made/mine").write_text("mine")
    with pytest.raises(UserError) as caught:
        unpack(zipped(tmp_path / "it", FILES), tmp_path / "made", LIMITS)
    said = f"nothing tells what {tmp_path}/made was unpacked from; move it away, and run this again"
    assert str(caught.value) == said
    assert contents(tmp_path / "made") == {"mine": b"mine"}


def test_a_kill_between_the_last_steps_leaves_a_whole_folder(written: list[str], tmp_path: Path) -> None:
    path = zipped(tmp_path / "it", FILES)
    unpack(path, tmp_path / "made", LIMITS)
    work = tmp_path / ".made.unpacking"
    (work / "old/0").mkdir(parents=True)  # it was all but removed
    unpack(path, tmp_path / "made", LIMITS)
    assert {one.name for one in tmp_path.iterdir()} == {"it", "made", ".made.unpacked.json"}
    work.mkdir()  # the record was written, and the folder had not got its name
    (tmp_path / "made").rename(work / "files")
    unpack(path, tmp_path / "made", LIMITS)
    assert contents(tmp_path / "made") == FILES
    assert written == [*FILES, *FILES]  # without the work folder's record nothing in it counts


def test_two_at_once_wait_for_each_other(tmp_path: Path) -> None:
    path, work, log = zipped(tmp_path / "it", FILES), tmp_path / ".made.unpacking", tmp_path / "log"
    work.mkdir()
    handle = os.open(work, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    words = ["--archive", str(path), "--target", str(tmp_path / "made"), "--limits", json.dumps(asdict(LIMITS))]
    process = processes.start("workflow.scripts.remote.unpack", words, log)
    waiting = f"{work} is in use by another process; waiting for its end\n"
    while log.read_text() != waiting:
        assert process.poll() is None, log.read_text()
        time.sleep(0.01)
    assert not list(work.iterdir())
    work.rmdir()  # as the other one does when it is done
    os.close(handle)
    assert process.wait() == 0
    assert contents(tmp_path / "made") == FILES


def test_an_archive_that_changes_while_it_is_unpacked_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path / "it", FILES)
    write = Place.write

    def touching(self: Place, *words: object) -> None:
        write(self, *words)  # type: ignore[arg-type]
        os.utime(path, ns=(1, 1))

    with monkeypatch.context() as patch:
        patch.setattr(Place, "write", touching)
        with pytest.raises(UserError, match="changed while it was unpacked; see that nothing writes it"):
            unpack(path, tmp_path / "made", LIMITS)
    assert not (tmp_path / "made").exists()
    unpack(path, tmp_path / "made", LIMITS)
    assert contents(tmp_path / "made") == FILES


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=f"^{tmp_path}/file.* cannot be read or written "):
        unpack(zipped(tmp_path / "it", FILES), tmp_path / "file/made", LIMITS)
