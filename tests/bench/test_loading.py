"""An archive is loaded back and run by its tag, with a real engine."""

from __future__ import annotations

import gzip
import subprocess
from pathlib import Path

import pytest

from tests.bench.conftest import SUBJECT, Trial
from workflow.scripts.slipway.engine import Engine
from workflow.scripts.slipway.loading import KEPT

pytestmark = pytest.mark.engine


@pytest.fixture
def saved(engine: Engine, real: Trial) -> Path:
    """The subject's image, saved as the organisers' command saves it."""
    real.values["images"]["subject"]["tag"] = SUBJECT
    archive = real.folder / "Subject.tar.gz"
    tar = subprocess.run(engine.command("save", SUBJECT), capture_output=True, check=True).stdout
    archive.write_bytes(gzip.compress(tar, 1))
    return archive


def test_the_archive_is_loaded_and_run_by_its_tag(engine: Engine, real: Trial, saved: Path) -> None:
    assert real.test("--archive", str(saved)) == 0
    assert engine.image_id(SUBJECT) == real.image_id
    assert engine.image_id(KEPT) is None
    words = real.verdict["runs"][0]["command"].split()
    assert words[-1] == SUBJECT
    assert real.image_id not in words


def test_without_an_archive_the_image_is_named_by_its_id(real: Trial) -> None:
    assert real.test() == 0
    assert real.verdict["runs"][0]["command"].split()[-1] == real.image_id


def test_a_broken_archive_is_told_and_the_image_stays(
    engine: Engine, real: Trial, saved: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    saved.write_bytes(saved.read_bytes()[:-5000])
    assert real.test("--archive", str(saved)) == 1
    assert f"docker cannot load {saved}" in capfd.readouterr().err
    assert real.verdict["status"] == "FAIL"
    assert engine.image_id(SUBJECT) == real.image_id
    assert engine.image_id(KEPT) is None


def test_an_archive_of_another_image_is_told(
    engine: Engine, base: str, real: Trial, saved: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The organisers would run what the file brings, whatever passed here."""
    other = engine.image_id(base)
    engine.ask("tag", base, SUBJECT)
    tar = subprocess.run(engine.command("save", SUBJECT), capture_output=True, check=True).stdout
    saved.write_bytes(gzip.compress(tar, 1))
    engine.ask("tag", real.image_id, SUBJECT)
    assert real.test("--archive", str(saved)) == 1
    assert f"{saved} brings {SUBJECT} as {other} and {real.image_id} passed" in capfd.readouterr().err
    assert engine.image_id(SUBJECT) == real.image_id


def test_an_archive_that_is_not_there(real: Trial, capfd: pytest.CaptureFixture[str]) -> None:
    assert real.test("--archive", str(real.folder / "no.tar.gz")) == 1
    assert "no.tar.gz is not there; save the image first" in capfd.readouterr().err
