"""One S3 server and one token issuer for all tests of this folder; each test has a home and data of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.agrigaia_s3.issuer import serving
from tests.agrigaia_s3.remotes import KEYS, Remote, without_settings
from tests.agrigaia_s3.weed import BUCKET, Server, running
from tests.processes import ROOT
from workflow.scripts.agrigaia.demo_pictures import Demo, generate

COMMON = ROOT / "containers" / "agrigaia" / "common"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving() as issuer, running(tmp_path_factory.mktemp("weed"), issuer) as one:
        yield one


@dataclass(frozen=True)
class Place:
    """Where one test's container would run."""

    folder: Path

    @property
    def credentials(self) -> Path:
        return self.folder / ".aws" / "credentials"

    @property
    def mount(self) -> Path:
        return self.folder / "mount point"

    def data(self, dataset: str) -> Path:
        return self.mount / "datasets" / dataset

    def environment(self, **more: str) -> dict[str, str]:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        known = {"PATH": path, "HOME": str(self.folder), "S3_MODE": "sync", "NO_PROXY": "*"}
        return {**known, **more}

    def bring(
        self, url: str, token: str, *words: str, bucket: str = BUCKET, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """mount-s3.sh, as the entrypoint runs it."""
        command = [
            "bash",
            str(COMMON / "mount-s3.sh"),
            "-t",
            "-",
            "-s",
            url,
            "-b",
            bucket,
            "-m",
            str(self.mount),
            *words,
        ]
        return self.run(command, token, **more)

    def run(self, command: list[str], given: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.folder, env=self.environment(**more), input=given, capture_output=True, text=True
        )


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data set, as the platform has it."""
    return generate(Demo(pictures=10), tmp_path_factory.mktemp("remote_demo"), workers=1)


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Nothing of this machine's settings has a part in it."""
    without_settings(monkeypatch, tmp_path)
    return monkeypatch


@pytest.fixture
def owner(alone: pytest.MonkeyPatch) -> None:
    """Who may do all has set the variables."""
    for name, value in KEYS.items():
        alone.setenv(name, value)


@pytest.fixture
def remote(alone: pytest.MonkeyPatch, server: Server, tmp_path: Path) -> Remote:
    del alone
    return Remote(tmp_path, server.url)
