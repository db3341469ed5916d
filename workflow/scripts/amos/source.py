"""Where the data come from. Each source is one function that gives the root of a release in the organisers' layout."""

from __future__ import annotations

from pathlib import Path

from containers.kit.errors import UserError
from workflow.scripts.amos.dataset import RELEASE, root_of
from workflow.scripts.amos.phantom import Demo, generate

RECORD = "10.5281/zenodo.7262581"


def demo(settings: Demo, scratch: Path, workers: int) -> Path:
    """Synthetic patients, made once and kept."""
    return generate(settings, scratch, workers)


def folder(path: Path, task: int) -> Path:
    """Data that are there already; they are used where they lie, and nothing is written to them."""
    if not path.is_dir():
        raise UserError(f"source {path} is neither 'demo' nor 'remote' nor a folder; set amos.source to one of them")
    return root_of(path, task)


def remote() -> Path:
    """The organisers' record."""
    raise UserError(
        f"this version cannot fetch source 'remote' itself; download {RELEASE}.zip of the Zenodo record {RECORD}, "
        f"unpack it and set amos.source to the folder {RELEASE}"
    )
