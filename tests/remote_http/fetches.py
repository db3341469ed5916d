"""Fetches from the tests' server, as they are asked for and as they end."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from containers.kit.errors import UserError
from tests.remote_http.server import Server
from workflow.scripts.remote.http import fetch
from workflow.scripts.remote.http_wait import Manner
from workflow.scripts.remote.table import Http

SEGMENT = 100_000
SIZE = 10 * SEGMENT + 1234
KEY = "sources.data.amos"
FILE = "data.zip"
QUICK = Manner(segment=SEGMENT, connect=20.0, read=60.0, tries=4, first=0.01, most=0.05, journal=0.05)
STALLED = replace(QUICK, read=0.5)
AGAIN = "and a new run goes on from there"


def segments(size: int = SIZE) -> list[tuple[int, int]]:
    return [(start, min(size, start + SEGMENT)) for start in range(0, size, SEGMENT)]


@dataclass(frozen=True)
class Place:
    server: Server
    folder: Path

    @property
    def target(self) -> Path:
        return self.folder / FILE

    @property
    def part(self) -> Path:
        return self.folder / f"{FILE}.part"

    @property
    def journal(self) -> Path:
        return self.folder / f"{FILE}.journal"

    def wanted(self, *paths: str, **more: Any) -> Http:
        urls = tuple(f"{self.server.url}{path}" for path in paths or ("/data.zip",))
        return Http(**{"file": FILE, "urls": urls, "sha256": self.server.content.digest(), "connections": 1, **more})

    def fetch(self, *paths: str, manner: Manner = QUICK, **more: Any) -> Path:
        return fetch(self.wanted(*paths, **more), self.folder, KEY, manner)

    def refused(self, *paths: str, manner: Manner = QUICK, **more: Any) -> str:
        with pytest.raises(UserError) as error:
            self.fetch(*paths, manner=manner, **more)
        return str(error.value)

    def whole(self) -> bool:
        """Whether the right bytes are there, and nothing but them and their record."""
        names = sorted(one.name for one in self.folder.iterdir())
        return names == [FILE, f"{FILE}.fetched.json"] and self.target.read_bytes() == self.server.content.read()

    def record(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads((self.folder / f"{FILE}.fetched.json").read_text())
        return told

    def done(self) -> list[list[int]]:
        found: list[list[int]] = json.loads(self.journal.read_text())["done"]
        return found

    def has(self, count: int) -> bool:
        """Whether so many bytes are there, whatever the journal says."""
        return self.part.exists() and self.part.read_bytes()[:count] == self.server.content.read()[:count]

    def leave(self, *done: tuple[int, int], **more: Any) -> None:
        """What an earlier run left: these ranges are there, and zeros elsewhere."""
        self.folder.mkdir(parents=True)
        right = self.server.content.read()
        with self.part.open("wb") as stream:
            stream.truncate(self.server.size)
            for start, end in done:
                stream.seek(start)
                stream.write(right[start:end])
        told = {"schema": 1, "size": self.server.size, "validator": self.server.etag, "done": done}
        self.journal.write_text(json.dumps({**told, "address": f"{self.server.url}/data.zip", **more}))
