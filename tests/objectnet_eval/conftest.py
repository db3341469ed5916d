"""Small photos and networks that several tests look at and none changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from containers.objectnet.model import model_description
from tests.objectnet_eval import parts


@pytest.fixture(autouse=True)
def networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a participant had written them."""
    for network in (parts.Tiny, parts.Objects, parts.Seven, parts.Numberless, parts.Breaking, parts.Fails):
        monkeypatch.setattr(model_description, network.__name__, network, raising=False)


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return parts.folder_of(tmp_path_factory.mktemp("photos") / "images", 7)


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return parts.checkpoint(tmp_path_factory.mktemp("weights") / "tiny.pth")


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("packages")
