"""Templates and packages that several tests look at and none changes, and architectures of a user's own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from workflow.scripts.agrigaia import package, template
from workflow.scripts.agrigaia.architectures import SHIPPED

QUICK: dict[str, Any] = {
    "epochs": 1,
    "batch-size": 8,
    "img-size": 64,
    "model": "efficientnet-nano",
    "pretrained": False,
}


def error(capsys: pytest.CaptureFixture[str], status: int) -> str:
    """The one sentence with which a command ended."""
    said = capsys.readouterr().err.splitlines()
    assert (status, len(said)) == (1, 1), said
    assert said[0].startswith("error: ")
    return said[0].removeprefix("error: ")


def make(output: Path, architecture: str | Path, *, onnx: bool = True, named: Any = None, **train: Any) -> int:
    """Keys of the form with _ for -."""
    form = {key.replace("_", "-"): value for key, value in train.items()}
    words = ["--architecture", str(architecture), "--train", json.dumps(form), "--package", json.dumps(named or {})]
    return template.main([*words, "--onnx", "true" if onnx else "false", "--output", str(output)])


def pack(folder: Path, made: Path, architecture: str | Path, named: Any = None) -> int:
    words = ["--template", str(made), "--architecture", str(architecture), "--package", json.dumps(named or {})]
    return package.main([*words, "--output", str(folder / "p.zip"), "--manifest", str(folder / "manifest.json")])


@pytest.fixture(scope="session")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The detector's template, quick to train."""
    folder = tmp_path_factory.mktemp("agrigaia_detector") / "template"
    assert make(folder, "detector", **QUICK) == 0
    return folder


@pytest.fixture(scope="session")
def zipped(detector: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("agrigaia_zipped")
    assert pack(folder, detector, "detector", {"provider": "My Lab", "architecture": "Tiny v1.0"}) == 0
    return folder / "p.zip"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """An architecture that a user began from one of Slipway's."""
    return Path(shutil.copytree(SHIPPED / "efficientnet", tmp_path / "mine"))


def edited(path: Path, **changes: Any) -> None:
    """A JSON file with some keys changed; those that are None are taken out."""
    content = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))
