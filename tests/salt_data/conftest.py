"""What several tests look at and none changes: demo data, made by the command."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from workflow.scripts.salt.fetch import main

TRAIN, TEST = 60, 20


@dataclass(frozen=True)
class Fetched:
    folder: Path

    @property
    def content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text())
        return content

    @property
    def root(self) -> Path:
        return Path(self.content["root"])


def fetch(folder: Path, source: str | Path, workers: int = 1, row: Any = None, **demo: Any) -> int:
    words = ["--source", str(source), "--demo", json.dumps(demo), "--scratch", str(folder / "raw")]
    words += ["--row", json.dumps(row)] if row else []
    return main([*words, "--workers", str(workers), "--manifest", str(folder / "manifest.json")])


def fetch_demo(folder: Path, workers: int = 1, **demo: Any) -> Fetched:
    assert fetch(folder, "demo", workers, **demo) == 0
    return Fetched(folder)


def error(
    folder: Path,
    source: str | Path,
    capsys: pytest.CaptureFixture[str],
    row: Any = None,
    **demo: Any,
) -> str:
    """The one sentence with which the command ends."""
    capsys.readouterr()
    assert fetch(folder, source, row=row, **demo) == 1
    assert not (folder / "manifest.json").exists()
    said = [line for line in capsys.readouterr().err.splitlines() if "it/s" not in line and "B/s" not in line]
    assert len(said) == 1
    assert said[0].startswith("error: ")
    return said[0].removeprefix("error: ")


def table(path: Path) -> list[list[str]]:
    with path.open(newline="") as stream:
        return list(csv.reader(stream))


def write_table(path: Path, lines: list[list[str]]) -> None:
    with path.open("w", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(lines)


def snapshot(folder: Path) -> Mapping[str, tuple[int, int]]:
    """Size and time of every file and folder below one."""
    paths = [Path(base) / name for base, folders, files in os.walk(folder) for name in (*folders, *files)]
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in (folder, *paths)}


def ids(data: Path, part: str = "train/images") -> list[str]:
    return sorted(path.stem for path in (data / part).iterdir())


def edit(path: Path, change: Callable[[list[list[str]]], list[list[str]]]) -> None:
    write_table(path, change(table(path)))


def set_mask(data: Path, name: str, text: str) -> None:
    edit(data / "train.csv", lambda lines: [[one, text] if one == name else [one, old] for one, old in lines])


@pytest.fixture(scope="session")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Fetched:
    return fetch_demo(tmp_path_factory.mktemp("salt_demo"), train=TRAIN, test=TEST)


@pytest.fixture
def data(fetched: Fetched, tmp_path: Path) -> Path:
    """A copy of them that a test may change."""
    return Path(shutil.copytree(fetched.root, tmp_path / "kaggle"))
