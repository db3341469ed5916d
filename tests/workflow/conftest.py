"""The whole way of each challenge, done once in a clean copy and with the shipped configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.images.conftest import CACHE
from tests.workflow.clone import Clone
from tests.workflow.planted import PLANTED


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A copy in which nothing has run."""
    return Clone.make(tmp_path_factory.mktemp("fresh"))


@pytest.fixture(scope="session")
def downloads() -> Path:
    """Where the clones keep base and wheels, as do the other tests that build images."""
    CACHE.mkdir(parents=True, exist_ok=True)
    return CACHE


def done(root: Path, downloads: Path, *commands: tuple[str, ...]) -> Clone:
    """A copy in which these commands have run, one after the other, by a user who has credentials."""
    clone = Clone.make(root)
    clone.share_downloads(downloads)
    for words in commands:
        clone.snakemake(*words, environ=PLANTED)
    return clone


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory, downloads: Path) -> Clone:
    """The main job, on the demo data and with the shipped configuration."""
    return done(tmp_path_factory.mktemp("exported"), downloads, ("--cores", "16", "export_stoic"))


@pytest.fixture(scope="session")
def exported_amos(tmp_path_factory: pytest.TempPathFactory, downloads: Path) -> Clone:
    """AMOS tested first and then exported, as a user would."""
    return done(tmp_path_factory.mktemp("exported_amos"), downloads, ("amos_test",), ("export_amos",))


@pytest.fixture(scope="session")
def exported_objectnet(tmp_path_factory: pytest.TempPathFactory, downloads: Path) -> Clone:
    """Both of ObjectNet's images, made of the demo data."""
    return done(tmp_path_factory.mktemp("exported_objectnet"), downloads, ("--cores", "16", "export_objectnet"))


@pytest.fixture(scope="session")
def exported_salt(tmp_path_factory: pytest.TempPathFactory, downloads: Path) -> Clone:
    """The salt's networks, submissions and container, made of the demo data."""
    return done(tmp_path_factory.mktemp("exported_salt"), downloads, ("--cores", "16", "export_salt"))


@pytest.fixture(scope="session")
def exported_agrigaia(tmp_path_factory: pytest.TempPathFactory, downloads: Path) -> Clone:
    """Agri-Gaia's container tested, and its package made, of the demo data."""
    return done(tmp_path_factory.mktemp("exported_agrigaia"), downloads, ("--cores", "16", "export_agrigaia"))
