"""What several tests look at and none changes: demo images, made by the command."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from workflow.scripts.objectnet.fetch import main

IMAGES = 24


@dataclass(frozen=True)
class Fetched:
    scratch: Path  # packages lie in packages/ beside it
    manifest: Path

    @property
    def content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.manifest.read_text())
        return content

    @property
    def images(self) -> Path:
        return Path(self.content["root"])


def fetch_demo(folder: Path, **settings: int) -> Fetched:
    fetched = Fetched(folder / "raw", folder / "raw/manifest.json")
    words = ["--source", "demo", "--demo", json.dumps(settings), "--scratch", str(fetched.scratch)]
    assert main([*words, "--workers", "1", "--manifest", str(fetched.manifest)]) == 0
    return fetched


@pytest.fixture(scope="session")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Fetched:
    return fetch_demo(tmp_path_factory.mktemp("objectnet_demo"), images=IMAGES)
