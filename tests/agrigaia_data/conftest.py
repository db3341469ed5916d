"""What several tests look at and none changes: demo data, made by the command; and small data sets of their own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.agrigaia_data import flat
from workflow.scripts.agrigaia.fetch import main

__all__ = ["flat"]
PICTURES = 30
LABELS = "<labels><label><name>oat</name></label><label><name>beet</name></label></labels>"

Write = Callable[..., Path]


@dataclass(frozen=True)
class Fetched:
    folder: Path

    @property
    def content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text())
        return content

    @property
    def root(self) -> Path:
        return Path(self.content["root"])


def fetch(folder: Path, source: str | Path, *more: str, workers: int = 1, **demo: Any) -> int:
    words = ["--source", str(source), "--demo", json.dumps(demo), "--scratch", str(folder / "raw"), *more]
    return main([*words, "--workers", str(workers), "--manifest", str(folder / "manifest.json")])


def error(capsys: pytest.CaptureFixture[str], status: int) -> str:
    """The one sentence with which a command ended."""
    said = [line for line in capsys.readouterr().err.splitlines() if "it/s" not in line and "?, ?" not in line]
    assert (status, len(said)) == (1, 1), said
    assert said[0].startswith("error: ")
    return said[0].removeprefix("error: ")


@pytest.fixture(scope="session")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Fetched:
    folder = tmp_path_factory.mktemp("agrigaia_demo")
    assert fetch(folder, "demo", pictures=PICTURES) == 0
    return Fetched(folder)


@pytest.fixture
def copied(fetched: Fetched, tmp_path: Path) -> Path:
    """The demo's data set, which a test may change."""
    return Path(shutil.copytree(fetched.root, tmp_path / "minio" / "7"))


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Make a data set of pictures and the <image> elements of an XML."""

    def make(
        images: str, *files: str, meta: str = f"<meta><task>{LABELS}</task></meta>", size: tuple[int, int] = (100, 80)
    ) -> Path:
        root = tmp_path / "minio" / "5"
        for file in files:
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", size).save(root / file)
        path = root / "annotations" / "annotations.xml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"<annotations><version>1.1</version>{meta}{images}</annotations>")
        return root

    return make


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Path], None]:
    """Have the container's modules see a data set."""

    def point(root: Path) -> None:
        import folders

        monkeypatch.setenv("DATASET_ID", root.name)
        monkeypatch.setattr(folders, "MOUNTED_DATASETS_ROOT_PATH", root.parent)
        monkeypatch.setattr(folders, "DATASETS_ROOT_PATH", tmp_path / "datasets")

    return point


def image(name: str, shapes: str = "", number: int = 0, width: int = 100, height: int = 80) -> str:
    return f'<image id="{number}" name="{name}" width="{width}" height="{height}">{shapes}</image>'


def box(label: str, left: float, top: float, right: float, bottom: float, more: str = "") -> str:
    return f'<box label="{label}" xtl="{left}" ytl="{top}" xbr="{right}" ybr="{bottom}" {more}/>'
