"""The main job, done once: `snakemake --cores 16 export_stoic` in a clean copy."""

from __future__ import annotations

import pytest

from tests.workflow.clone import Clone


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A copy in which nothing has run."""
    return Clone.make(tmp_path_factory.mktemp("fresh"))


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A copy in which the main job has run, on the demo data and with the shipped configuration."""
    clone = Clone.make(tmp_path_factory.mktemp("exported"))
    clone.snakemake("--cores", "16", "export_stoic")
    return clone
