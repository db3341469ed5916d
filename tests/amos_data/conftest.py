"""What several tests look at and none changes: the demo of the default settings, and a real CT."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real_ct import real_ct
from workflow.scripts.amos.phantom import Demo, generate


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of the release of `Demo()`."""
    return generate(Demo(), tmp_path_factory.mktemp("demo"), workers=2)


@pytest.fixture(scope="session")
def scan(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A real CT and its label map."""
    return real_ct(tmp_path_factory.mktemp("scan"))
