"""The case that the inference container is tried on: one image, as the platform mounts it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from workflow.scripts.stoic.case import main


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    images = tmp_path / "data" / "mha"
    images.mkdir(parents=True)
    for case in (3, 7, 12):
        (images / f"{case}.mha").write_text(f"scan {case}")
    cases = [
        {"id": 3, "file": "data/mha/3.mha", "covid": 1, "severe": 0},
        {"id": 7, "file": "data/mha/7.mha", "covid": 1, "severe": 1},
        {"id": 12, "file": "data/mha/12.mha", "covid": 1, "severe": 1},
    ]
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"root": str(tmp_path), "fingerprint": "abc", "cases": cases}))
    return path


def lay_out(manifest: Path) -> int:
    folder = manifest.parent / "case"
    return main([f"--manifest={manifest}", f"--folder={folder}", f"--output={manifest.parent / 'case.json'}"])


def test_it_is_the_first_severe_case_alone_and_under_a_name_that_tells_nothing(manifest: Path) -> None:
    assert lay_out(manifest) == 0
    root = Path(json.loads((manifest.parent / "case.json").read_text())["root"])
    (image,) = [path for path in root.rglob("*") if path.is_file()]
    assert image.read_text() == "scan 7"
    assert image.parent == root / "images" / "ct"
    assert image.suffix == ".mha"
    assert len(image.stem) == 36


def test_an_image_of_an_earlier_run_does_not_stay(manifest: Path) -> None:
    stale = manifest.parent / "case" / "images" / "ct" / "old.mha"
    stale.parent.mkdir(parents=True)
    stale.write_text("old")
    assert lay_out(manifest) == 0
    assert [path.read_text() for path in stale.parent.iterdir()] == ["scan 7"]


def test_an_image_that_is_gone_is_named(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (manifest.parent / "data" / "mha" / "7.mha").unlink()
    assert lay_out(manifest) == 1
    assert "data/mha/7.mha cannot be copied" in capsys.readouterr().err
    assert not (manifest.parent / "case.json").exists()
