"""Where the data come from. Each source is one function that gives the root of a release in the organisers' layout."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workflow.scripts.amos.dataset import root_of
from workflow.scripts.amos.phantom import Demo, generate
from workflow.scripts.remote.bring import unpacked
from workflow.scripts.remote.table import Row

KEY = "sources.data.amos"


def demo(settings: Demo, scratch: Path, workers: int) -> Path:
    """Synthetic patients, made once and kept."""
    return generate(settings, scratch, workers)


def folder(path: Path, task: int) -> Path:
    """Data that are there already; they are used where they lie, and nothing is written to them."""
    return root_of(path, task)


def remote(row: Row, accept: Sequence[str], task: int, scratch: Path, workers: int) -> Path:
    """The organisers' archive, fetched and unpacked below `scratch`."""
    return root_of(unpacked(row, KEY, accept, scratch, workers), task)
