"""The store: a case is done when its record says so, and never while its volume is being replaced."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from containers.kit import store
from containers.kit.errors import UserError

VOLUME = np.arange(24, dtype=np.float16).reshape(2, 3, 4)


def test_a_case_is_done_for_the_mark_that_it_was_made_with(tmp_path: Path) -> None:
    store.save(tmp_path, "7", VOLUME, {"id": 7, "settings": "a", "source": {"size": 3}})
    assert store.is_done(tmp_path, "7", {"settings": "a", "source": {"size": 3}})
    assert not store.is_done(tmp_path, "7", {"settings": "b", "source": {"size": 3}})
    assert not store.is_done(tmp_path, "7", {"settings": "a", "source": {"size": 4}})
    assert not store.is_done(tmp_path, "8", {})
    stored = np.load(tmp_path / "7.npy", mmap_mode="r")
    assert isinstance(stored, np.memmap)
    np.testing.assert_array_equal(stored, VOLUME)


@pytest.mark.parametrize("record", ["", "[]", "null", '{"settings": "a"', "\x00"])
def test_a_record_that_is_none_is_not_done(tmp_path: Path, record: str) -> None:
    store.save(tmp_path, "7", VOLUME, {"settings": "a"})
    (tmp_path / "7.json").write_text(record)
    assert not store.is_done(tmp_path, "7", {"settings": "a"})


def test_a_case_that_is_being_replaced_is_not_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.save(tmp_path, "7", VOLUME, {"settings": "a"})

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        store.save(tmp_path, "7", VOLUME, {"settings": "b"})
    assert [path.name for path in tmp_path.iterdir()] == ["7.npy"]


def test_a_full_disk_is_told_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(UserError, match=r"cannot take case 7 \(No space left on device\); make room there"):
        store.save(tmp_path, "7", VOLUME, {})
    assert list(tmp_path.iterdir()) == []
