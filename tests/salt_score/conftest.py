"""The same data and artifact as the container's tests have, and the submissions made with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.salt_container.conftest import artifact as artifact  # the fixtures
from tests.salt_container.conftest import chain as chain
from tests.salt_container.parts import Chain
from workflow.scripts.salt import submissions as command


@pytest.fixture(scope="session")
def submissions(chain: Chain, artifact: Path) -> Path:
    folder = chain.folder / "kaggle"
    words = ["--manifest", str(chain.manifest), "--artifact", str(artifact), "--predict", '{"device": "cpu"}']
    assert command.main([*words, "--threads", "1", "--output", str(folder)]) == 0
    return folder
