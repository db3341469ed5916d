"""Whether there is room is asked before anything comes, and for what is still to come."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from containers.kit.errors import UserError
from tests.remote_http.fetches import FILE, SIZE, Place
from tests.remote_http.server import Server
from workflow.scripts.remote.room import amount, need


def free(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=size if folder else 0))


def test_a_folder_without_room_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, 1_200_000_000)
    need(tmp_path / "not" / "there", 1_200_000_000, "the archive")
    with pytest.raises(UserError) as error:
        need(tmp_path / "not" / "there", 23 * 10**9, "the archive")
    told = f"{tmp_path}/not/there has 1.2 GB free and the archive takes 23.0 GB; make room there or move scratch"
    assert str(error.value) == told
    assert not (tmp_path / "not").exists()


def test_amounts_are_for_people() -> None:
    assert [amount(size) for size in (0, 999, 1000, 2.5e6, 197e9)] == [
        "0 bytes",
        "999 bytes",
        "1.0 kB",
        "2.5 MB",
        "197.0 GB",
    ]


def test_a_fetch_without_room_takes_nothing(place: Place, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, SIZE - 1)
    assert place.refused() == (
        f"{place.folder} has 1.0 MB free and {FILE} takes 1.0 MB; make room there or move scratch"
    )
    assert (len(server.asked), list(place.folder.iterdir())) == (1, [])


def test_what_is_there_needs_no_room_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.leave((0, 600_000))
    taken = place.part.stat().st_blocks * 512
    free(monkeypatch, SIZE - taken - 1)
    assert f"and the rest of {FILE} takes {(SIZE - taken) / 1e3:.1f} kB; make room" in place.refused()
    free(monkeypatch, SIZE - taken)
    place.fetch()
    assert place.whole()
