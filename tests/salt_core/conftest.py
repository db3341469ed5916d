"""A stand-in for Kaggle's program on PATH, and credentials that nobody may see."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from containers.salt import submission
from tests.kaggle_user import at_home
from tests.salt_core import slow
from workflow.scripts.salt import sent, submit

KEY, USER = "0123secret4567/+key89", "planted-user"
GOOD = {"otherwise": {"says": "Successfully submitted to TGS Salt Identification Challenge", "status": 0}}


class Kaggle:
    """The folder of a run: files to send, the record, and what the program was called with."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.record, self._patch, self._capsys = (
            folder,
            folder / "results" / "submitted.json",
            patch,
            capsys,
        )
        self.manifest = folder / "manifest.json"
        self.data("folder", ["0123456789", "abcdef0123"])
        self.answer(GOOD)
        self.day(21)

    def data(self, source: str, ids: Sequence[str]) -> None:
        """Where the images come from, and those of the test."""
        self.manifest.write_text(json.dumps({"source": source, "test": [{"id": one} for one in ids]}))

    def answer(self, answers: dict[str, Any]) -> None:
        (self.folder / "answers.json").write_text(json.dumps(answers))

    def says(self, says: str, status: int = 1) -> None:
        self.answer({"otherwise": {"says": says, "status": status}})

    def day(self, day: int) -> None:
        self._patch.setattr(sent, "now", lambda: f"2026-11-{day}T23:59:59+00:00")

    def files(self, count: int, first: int = 1) -> list[Path]:
        """Submissions that are all different."""
        return [
            slow.table(self.folder / f"s{number}.csv", {"0123456789": f"1 {number}", "abcdef0123": ""})
            for number in range(first, first + count)
        ]

    def run(self, *words: str | Path, message: str = "a try") -> tuple[int, str, str]:
        """Status, standard output and standard error; whatever the words are, the credentials stay hidden."""
        fixed = [f"--message={message}", "--record", str(self.record), "--manifest", str(self.manifest)]
        status = submit.main(["--submission", *map(str, words), *fixed])
        out, err = self._capsys.readouterr()
        record = self.record.read_text() if self.record.exists() else ""
        assert KEY not in out + err + record
        assert USER not in out + err + record
        return status, out, err

    def calls(self) -> list[dict[str, Any]]:
        path = self.folder / "calls.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def sent(self) -> list[str]:
        return [Path(call["words"][5]).name for call in self.calls()]

    def entries(self) -> list[dict[str, str]]:
        entries: list[dict[str, str]] = json.loads(self.record.read_text())["submissions"]
        return entries


@pytest.fixture
def kaggle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Kaggle:
    program = Path(__file__).with_name("fake_kaggle")
    at_home(monkeypatch, tmp_path, program, USER, KEY)
    monkeypatch.setattr(submission, "TEST_IMAGES", 2)
    return Kaggle(tmp_path, monkeypatch, capsys)
