"""One small plan and its preprocessed cases that many tests look at, and two trained folds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.amos_train.synthetic import PLAN, TRAIN, make
from workflow.scripts.amos import plan, preprocess, train


@dataclass(frozen=True)
class Place:
    """Where the commands find things. Do not write into what a session shares."""

    folder: Path

    @property
    def manifest(self) -> Path:
        return self.folder / "manifest.json"

    @property
    def plan(self) -> Path:
        return self.folder / "plan"

    @property
    def record(self) -> Path:
        return self.folder / "preprocessed.json"

    def read(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text())

    def plan_words(self, task: int = 2, told: dict[str, Any] | None = None, **learn: Any) -> list[str]:
        return [
            f"--manifest={self.manifest}",
            f"--task={task}",
            f"--plan={json.dumps(PLAN if told is None else told)}",
            f"--train={json.dumps(TRAIN | learn)}",
            f"--scratch={self.folder / 'scratch'}",
            f"--output={self.plan}",
            "--workers=1",
        ]

    def preprocess_words(self, workers: int = 1) -> list[str]:
        return [
            f"--plan-folder={self.plan}",
            "--configuration=3d_fullres",
            f"--manifest={self.manifest}",
            f"--scratch={self.folder / 'scratch'}",
            f"--workers={workers}",
            f"--output={self.record}",
        ]

    def train_words(self, fold: int = 0, elsewhere: Path | None = None, **learn: Any) -> list[str]:
        place = elsewhere or self.folder
        return [
            f"--plan-folder={self.plan}",
            f"--preprocessed={self.record}",
            "--configuration=3d_fullres",
            f"--fold={fold}",
            f"--train={json.dumps(TRAIN | learn)}",
            f"--scratch={place / 'scratch'}",
            f"--output={place / f'trained/fold_{fold}'}",
        ]


@pytest.fixture(scope="session")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("planned"))
    make(place.folder)
    assert plan.main(place.plan_words()) == 0
    assert preprocess.main(place.preprocess_words()) == 0
    return place


@pytest.fixture(scope="session")
def trained(planned: Place) -> Place:
    """Both folds, trained to the end."""
    for fold in (0, 1):
        assert train.main(planned.train_words(fold)) == 0
    return planned
