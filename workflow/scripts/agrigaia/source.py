"""Where a data set comes from. Each source is one function that gives its folder: pictures, and CVAT's annotations."""

from __future__ import annotations

from pathlib import Path

from containers.kit.errors import UserError
from workflow.scripts.agrigaia.demo_pictures import Demo, generate
from workflow.scripts.agrigaia.places import ANNOTATIONS, annotations_of
from workflow.scripts.agrigaia.remote import Remote


def demo(settings: Demo, scratch: Path, workers: int) -> Path:
    """Drawn fields, made once and kept."""
    return generate(settings, scratch, workers)


def folder(path: Path) -> Path:
    """A data set that is there already; it is used where it lies, and nothing is written to it."""
    if annotations_of(path) is None:
        raise UserError(
            f"{path} has no {ANNOTATIONS}; export the task from CVAT as 'CVAT for images 1.1' and put its "
            f"{ANNOTATIONS.name} there"
        )
    return path


def remote(settings: Remote, scratch: Path) -> Path:
    """A data set of the platform's bucket, brought up to date."""
    from workflow.scripts.agrigaia.remote_fetch import fetch  # boto3 takes its time, and the other sources need none

    return fetch(settings, scratch)
