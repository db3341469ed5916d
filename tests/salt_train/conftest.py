"""Small trainings that many tests look at and none changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.salt_train.commands import Place, demo, pack_images


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo(tmp_path_factory.mktemp("salt_manifest"))


@pytest.fixture(scope="session")
def packed(manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """24 images in two folds."""
    place = Place(tmp_path_factory.mktemp("salt_packed"))
    assert pack_images(manifest, place.packed) == 0
    return place


@pytest.fixture(scope="session")
def trained(packed: Place) -> Place:
    """Both folds of both kinds."""
    for fold in range(2):
        assert packed.classify(fold) == 0
    assert packed.classified() == 0
    for fold in range(2):
        assert packed.segment(fold, images="all") == 0
    return packed


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    return Said(capsys)


class Said:
    """The one sentence with which a command ends."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self) -> str:
        lines = [line for line in self.capsys.readouterr().err.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1
        return lines[0].removeprefix("error: ")
