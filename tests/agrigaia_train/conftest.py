"""Programs of a working folder without processes of their own, which would import torch again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.agrigaia_train import flat

Inside = Callable[[Path, str], None]


@pytest.fixture
def set_up(monkeypatch: pytest.MonkeyPatch) -> Inside:
    """Run an architecture's setup.py in a working folder."""

    def start(folder: Path, architecture: str) -> None:
        import arrange
        import folders

        monkeypatch.chdir(folder)
        monkeypatch.setenv("DATASET_ID", "1")
        monkeypatch.setenv("AGRIGAIA_TRAIN", str(folder / "out"))
        monkeypatch.setattr(folders, "MOUNTED_DATASETS_ROOT_PATH", folder / "minio" / "datasets")
        for module in (folders, arrange):
            monkeypatch.setattr(module, "DATASETS_ROOT_PATH", folder / "datasets")
        assert flat.load(architecture, "setup").main() == 0

    return start


@pytest.fixture
def train(monkeypatch: pytest.MonkeyPatch) -> Inside:
    """Run an architecture's train.py in a working folder that was set up."""

    def start(folder: Path, architecture: str) -> None:
        import config_to_args

        monkeypatch.chdir(folder)
        words = config_to_args.options(json.loads((folder / "train_config.json").read_text()))
        flat.load(architecture, "train").train(flat.load(architecture, "args").parse(words))

    return start
