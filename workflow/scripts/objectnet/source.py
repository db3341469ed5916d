"""Where ObjectNet's images come from. Each source is one function that gives the folder of a release."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workflow.scripts.objectnet.demo_images import Demo, generate
from workflow.scripts.remote.bring import unpacked
from workflow.scripts.remote.table import Row

KEY = "sources.data.objectnet"


def demo(settings: Demo, scratch: Path, workers: int) -> Path:
    """Variants of real photos, made once and kept; the packages with the photos are kept beside `scratch`."""
    return generate(settings, scratch, packages(scratch), workers)


def packages(scratch: Path) -> Path:
    """Where wheels are kept that carry photos."""
    return scratch.absolute().parent / "packages"


def folder(path: Path) -> Path:
    """Images that are there already; they are used where they lie, and nothing is written to them."""
    return path


def remote(row: Row, accept: Sequence[str], scratch: Path, workers: int) -> Path:
    """The organisers' archive, fetched and unpacked below `scratch`."""
    return unpacked(row, KEY, accept, scratch, workers)
