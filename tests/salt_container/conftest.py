"""What several tests look at and none changes: data, trained folds, and the artifact made of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.salt_container import parts
from tests.salt_container.parts import Chain
from workflow.scripts.salt import artifact as command


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    return parts.chain(tmp_path_factory.mktemp("salt_chain"))


@pytest.fixture(scope="session")
def artifact(chain: Chain) -> Path:
    folder = chain.folder / "artifact"
    assert command.main([*chain.words(), "--output", str(folder)]) == 0
    return folder
