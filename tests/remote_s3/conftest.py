"""One S3 server for all tests of this folder, and STOIC's layout in small."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agrigaia_s3.issuer import Issuer
from tests.agrigaia_s3.remotes import KEYS, without_settings
from tests.agrigaia_s3.test_agrigaia_odd_servers import Odd
from tests.agrigaia_s3.weed import Server, running
from tests.remote_s3.stoic import Stoic
from workflow.scripts.stoic.phantom import Demo, generate


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("weed"), Issuer()) as one:  # nobody asks for its tokens here
        yield one


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine with COVID, two of them severe, and six without."""
    return generate(Demo(cases=15, size=(16, 16, 16)), tmp_path_factory.mktemp("stoic_demo"), workers=1)


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
def stoic(alone: pytest.MonkeyPatch, server: Server, tmp_path: Path) -> Stoic:
    del alone
    return Stoic(tmp_path, server.url)


@pytest.fixture
def odd(alone: pytest.MonkeyPatch) -> Iterator[Odd]:
    """A server that does what a real one seldom does."""
    del alone
    one = Odd()
    yield one
    one.server.shutdown()
    one.server.server_close()
