"""A user of Kaggle's, with a program of the tests' in the place of Kaggle's own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def at_home(monkeypatch: pytest.MonkeyPatch, folder: Path, programs: Path, user: str, key: str) -> None:
    """The program is found first in `programs`; it is told of `folder`, and nothing of this machine's settings."""
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_KAGGLE", str(folder))
    monkeypatch.setenv("HOME", str(folder / "home"))
    monkeypatch.setenv("KAGGLE_USERNAME", user)
    monkeypatch.setenv("KAGGLE_KEY", key)
    for name in ("KAGGLE_CONFIG_DIR", "KAGGLE_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
