"""What was fetched is noted file by file, so that a kill costs what was under way and no more."""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path

import pytest

from containers.agrigaia.common.s3_fetch import Copies, Item
from containers.stoic.data import REFERENCE
from tests.agrigaia_s3.test_agrigaia_odd_servers import BODY, Odd
from tests.processes import send_when, start
from tests.remote_s3.stoic import Stoic

MARKED = "opaque-1"  # an ETag that tells nothing: only the notes know such a file again


def noted(copies: Copies, *names: str) -> list[Item]:
    """Files that came just now."""
    items = [Item(name, name, 1, MARKED) for name in names]
    for item in items:
        copies.place(item).write_bytes(b"x")
        copies.note(item)
    return items


def killed(copies: Copies) -> None:
    """Its end is never reached; the kernel lets go of the lock."""
    assert copies.lock
    copies.lock.close()


def test_a_kill_forgets_no_file_that_was_noted(tmp_path: Path) -> None:
    copies = Copies(tmp_path, "1").__enter__()
    items = noted(copies, "a", "b\n", "deep/ü")
    killed(copies)
    with Copies(tmp_path, "1") as again:
        assert [again.has(item) for item in items] == [True] * 3
        more = noted(again, "c")
    assert sorted(path.name for path in (tmp_path / ".1.sync").iterdir()) == ["lock", "state.json"]
    with Copies(tmp_path, "1") as once_more:
        assert [once_more.has(item) for item in [*items, *more]] == [True] * 4


@pytest.mark.parametrize("rest", [1, 9, 20])
def test_a_line_that_was_not_written_to_its_end_is_as_none(tmp_path: Path, rest: int) -> None:
    copies = Copies(tmp_path, "1").__enter__()
    items = noted(copies, "a", "b")
    killed(copies)
    journal = tmp_path / ".1.sync" / "journal"
    journal.write_bytes(journal.read_bytes()[: -rest - 1])
    copies = Copies(tmp_path, "1").__enter__()
    items += noted(copies, "c")
    killed(copies)
    with Copies(tmp_path, "1") as again:
        assert [again.has(item) for item in items] == [True, False, True]


@pytest.mark.parametrize("text", ["{", "5", '["a"]', '{"a": 5}', '["a", "odd"]', "\xff", ""])
def test_notes_that_cannot_be_read_are_as_none(tmp_path: Path, text: str) -> None:
    with Copies(tmp_path, "1") as copies:
        (item,) = noted(copies, "a")
    state, journal = (tmp_path / ".1.sync" / name for name in ("state.json", "journal"))
    for file in (state, journal):
        state.unlink(missing_ok=True)
        file.write_text(text)
        with Copies(tmp_path, "1") as copies:
            assert not copies.has(item)


def test_notes_of_earlier_versions_are_read(tmp_path: Path) -> None:
    with Copies(tmp_path, "1") as copies:
        (item,) = noted(copies, "a")
    state = tmp_path / ".1.sync" / "state.json"
    time = (tmp_path / "1" / "a").stat().st_mtime_ns
    assert json.loads(state.read_text()) == {"a": [MARKED, 1, time]}
    state.write_text(json.dumps({"a": ["older", 1, time]}))
    with Copies(tmp_path, "1") as copies:
        assert not copies.has(item)
        assert copies.has(Item("a", "a", 1, "older"))


@pytest.mark.usefixtures("alone")
def test_after_a_kill_only_what_was_under_way_is_asked_for(
    odd: Odd, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd.files = {f"s/data/mha/{path.name}": path.read_bytes() for path in (data / "data/mha").iterdir()}
    odd.etags = dict.fromkeys(odd.files, MARKED)
    big = sorted(odd.files)[3]
    odd.files[big] = BODY
    odd.files[f"s/{REFERENCE}"] = (data / REFERENCE).read_bytes()
    odd.waits = threading.Event()
    stoic, log = Stoic(tmp_path, odd.url), tmp_path / "log"
    words = stoic.words("s", bucket="agri")
    process = start("workflow.scripts.stoic.fetch", words, log)

    def due() -> bool:
        """All but the big one are noted, and half of that has come."""
        lines = b"".join(path.read_bytes() for path in stoic.raw.glob("remote/*/.files.sync/journal"))
        if lines.count(b"\n") < len(odd.files) - 1:
            return False
        return [path.stat().st_size for path in stoic.raw.glob("remote/*/.files.sync/*.object")] == [2 << 20]

    assert send_when(process, due, signal.SIGKILL, log) == -signal.SIGKILL
    odd.waits.set()
    assert sorted(odd.keys) == sorted(odd.files)
    odd.keys, odd.asked = [], []
    assert stoic.fetch("s", bucket="agri") == 0
    assert (odd.keys, odd.asked) == ([big], [f"bytes={2 << 20}-"])
    assert "15 of 15 cases, 1 of them fetched (5.1 MB), 14 already there; 0 removed here\n" in capsys.readouterr().out
    assert {path.name: path.read_bytes() for path in (stoic.root / "data/mha").iterdir()} == {
        Path(key).name: body for key, body in odd.files.items() if key.endswith(".mha")
    }
