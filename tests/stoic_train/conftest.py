"""One small training that many tests look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from containers.stoic.job import Job
from containers.stoic.train import learn
from tests.stoic_train.synthetic import make_cases, make_job


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_cases(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """Two folds, trained to the end. Do not write into it."""
    job = make_job(data, tmp_path_factory.mktemp("trained"), epochs=12, checkpoint_minutes=60)
    learn(job)
    return job
