"""The whole way of each challenge, done once in a clean copy and with the shipped configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.images.conftest import CACHE
from tests.workflow.clone import Clone


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A copy in which nothing has run."""
    return Clone.make(tmp_path_factory.mktemp("fresh"))


@pytest.fixture(scope="session")
def downloads() -> Path:
    """Where the clones keep base and wheels, as do the other tests that build images."""
    CACHE.mkdir(parents=True, exist_ok=True)
    return CACHE


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory, downloads: Path) -> Clone:
    """A copy in which the main job has run, on the demo data and with the shipped configuration."""
    clone = Clone.make(tmp_path_factory.mktemp("exported"))
    clone.share_downloads(downloads)
    clone.snakemake("--cores", "16", "export_stoic")
    return clone


@pytest.fixture(scope="session")
def exported_amos(tmp_path_factory: pytest.TempPathFactory, downloads: Path) -> Clone:
    """A copy in which AMOS was tested first and then exported, as a user would."""
    clone = Clone.make(tmp_path_factory.mktemp("exported_amos"))
    clone.share_downloads(downloads)
    clone.snakemake("amos_test")
    clone.snakemake("export_amos")
    return clone


@pytest.fixture(scope="session")
def exported_objectnet(tmp_path_factory: pytest.TempPathFactory, downloads: Path) -> Clone:
    """A copy in which both of ObjectNet's images were made of the demo data."""
    clone = Clone.make(tmp_path_factory.mktemp("exported_objectnet"))
    clone.share_downloads(downloads)
    clone.snakemake("--cores", "16", "export_objectnet")
    return clone


@pytest.fixture(scope="session")
def exported_salt(tmp_path_factory: pytest.TempPathFactory, downloads: Path) -> Clone:
    """A copy in which the salt's networks, submissions and container were made of the demo data."""
    clone = Clone.make(tmp_path_factory.mktemp("exported_salt"))
    clone.share_downloads(downloads)
    clone.snakemake("--cores", "16", "export_salt")
    return clone


@pytest.fixture(scope="session")
def exported_agrigaia(tmp_path_factory: pytest.TempPathFactory, downloads: Path) -> Clone:
    """A copy in which Agri-Gaia's container was tested and its package made of the demo data."""
    clone = Clone.make(tmp_path_factory.mktemp("exported_agrigaia"))
    clone.share_downloads(downloads)
    clone.snakemake("--cores", "16", "export_agrigaia")
    return clone
