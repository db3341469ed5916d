"""The training container's entry point, from the organisers' folders to the line that they wait for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from containers.stoic import main, train
from containers.stoic.artifact import verify
from tests.stoic_data.images import data_set
from tests.stoic_train.synthetic import settings


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    labels = {10 + case: (int(case % 3 > 0), int(case % 3 > 1)) for case in range(12)}
    data_set(tmp_path / "input", labels)
    small = settings(epochs=1, holdout=0)
    small["preprocess"] = {"size": [16, 16, 16]}
    (tmp_path / "settings.json").write_text(json.dumps(small))
    (tmp_path / "REVISION").write_text("0123abc\n")
    for name in ("input", "output", "scratch"):
        monkeypatch.setenv(f"SLIPWAY_{name.upper()}", str(tmp_path / name))
    monkeypatch.setenv("SLIPWAY_SETTINGS", str(tmp_path / "settings.json"))
    monkeypatch.delenv("SLIPWAY_REVISION", raising=False)
    return tmp_path


def test_from_scans_to_an_artifact(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Training completed."
    assert len(verify(place / "output").folds) == 2
    assert json.loads((place / "output/card.json").read_text())["revision"] == "0123abc"
    assert (place / "scratch/preprocessed/10.npy").is_file()
    assert (place / "scratch/logs/metrics.csv").is_file()


def test_what_do_learning_returns_is_copied(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def do_learning(data_dir: str, artifact_dir: str) -> list[str]:
        assert (data_dir, artifact_dir) == (str(place / "input"), str(place / "output"))
        Path(artifact_dir).mkdir()
        (place / "more.bin").write_text("more")
        return [str(place / "more.bin")]

    monkeypatch.setattr(train, "do_learning", do_learning)
    assert main.main([]) == 0
    assert (place / "output/more.bin").read_text() == "more"
    assert capsys.readouterr().out == "Training completed.\n"


def test_a_failed_training_does_not_say_that_it_is_completed(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "input/metadata/reference.csv").unlink()
    assert main.main([]) == 1
    captured = capsys.readouterr()
    assert "Training completed." not in captured.out
    assert "reference.csv cannot be read" in captured.err
