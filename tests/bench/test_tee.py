"""A container's words on their way to the terminal and the log."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from workflow.scripts.slipway.tee import WIDTH, Tee


def fed(tmp_path: Path, *chunks: bytes, wanted: str = "Done.") -> Tee:
    reading, writing = os.pipe()
    tee = Tee(os.fdopen(reading, "rb"), tmp_path / "logs" / "run.log", wanted)
    tee.start()
    for chunk in chunks:
        os.write(writing, chunk)
    os.close(writing)
    tee.join(5)
    return tee


def test_log_and_terminal_get_every_byte(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tee = fed(tmp_path, b"one\ntw", b"o \xc3", b"\xa9\n\xff last")
    assert (tmp_path / "logs" / "run.log").read_bytes() == b"one\ntwo \xc3\xa9\n\xff last"
    assert capsys.readouterr().out.startswith("one\ntwo é\n")
    assert tee.lines == ["one", "two é", "\ufffd last"]
    assert not tee.wanted_seen


def test_a_progress_bar_is_one_line(tmp_path: Path) -> None:
    tee = fed(tmp_path, b" 10 %\r", b" 50 %\r 90 %\r", b"100 %\nDone.\r\n")
    assert tee.lines == ["100 %", "Done."]
    assert tee.wanted_seen


@pytest.mark.parametrize(("text", "seen"), [(b"Done.", True), (b"  Done. \n", True), (b"Done. Not.\n", False)])
def test_the_success_line_is_a_whole_line(tmp_path: Path, text: bytes, seen: bool) -> None:
    assert fed(tmp_path, text).wanted_seen is seen


def test_no_success_line_is_wanted(tmp_path: Path) -> None:
    assert not fed(tmp_path, b"\n\n", wanted="").wanted_seen


def test_memory_stays_small(tmp_path: Path) -> None:
    tee = fed(tmp_path, *[b"x" * 60000] * 10, b"\n", *[b"line\n" * 1000] * 5)
    assert len(tee.lines) == 400
    assert max(len(line) for line in fed(tmp_path, b"x" * 60000).lines) <= WIDTH


def test_warnings_of_the_engine(tmp_path: Path) -> None:
    tee = fed(tmp_path, b"WARNING: Your kernel does not support swap limit capabilities.\nWARNING: mine\n")
    assert tee.engine_warnings == ["Your kernel does not support swap limit capabilities."]
