"""The record of what was sent to Kaggle: when, and what Kaggle said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError
from containers.kit.files import read_json, write_json

SENT, REFUSED, UNCLEAR = "sent", "refused", "unclear"  # an unclear file counts as sent until its entry is deleted


@dataclass(frozen=True)
class Entry:
    competition: str
    file: str
    sha256: str
    time: str  # UTC
    message: str
    state: str
    said: str

    @property
    def date(self) -> str:
        return self.time[:10]


@dataclass
class Record:
    path: Path
    entries: list[Entry]

    def of_file(self, competition: str, sha256: str) -> Entry | None:
        """The entry that keeps a file from being sent again."""
        return next((e for e in self._counted(competition) if e.sha256 == sha256), None)

    def on(self, competition: str, date: str) -> int:
        """How many files count for a day's limit."""
        return sum(entry.date == date for entry in self._counted(competition))

    def begin(self, competition: str, file: Path, sha256: str, message: str) -> None:
        """Written before the file is sent, so that an end by force leaves a trace."""
        self.entries.append(Entry(competition, str(file), sha256, now(), message, UNCLEAR, ""))
        self._write()

    def end(self, state: str, said: str) -> None:
        """What became of the file begun last."""
        self.entries[-1] = Entry(**{**asdict(self.entries[-1]), "state": state, "said": said})
        self._write()

    def _counted(self, competition: str) -> list[Entry]:
        return [e for e in self.entries if e.competition == competition and e.state != REFUSED]

    def _write(self) -> None:
        entries = [{**asdict(entry), "date": entry.date} for entry in self.entries]
        try:
            write_json(self.path, {"schema": 1, "submissions": entries})
        except OSError as error:
            raise UserError(f"--record {self.path} cannot be written ({error.strerror}); make room there") from None


def read(path: Path) -> Record:
    content = read_json(path) if path.exists() else {"submissions": []}
    try:
        return Record(path, [_entry(each) for each in content["submissions"]])
    except (AttributeError, KeyError, TypeError):
        raise UserError(
            f"--record {path} is no record of submissions; name the right file, or move this one away, after a look at "
            "the list of submissions on Kaggle"
        ) from None


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _entry(content: Mapping[str, Any]) -> Entry:
    entry = Entry(**{name: value for name, value in content.items() if name != "date"})
    if not all(isinstance(value, str) for value in asdict(entry).values()):
        raise TypeError
    return entry
