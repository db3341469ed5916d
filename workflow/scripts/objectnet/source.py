"""Where ObjectNet's images come from. Each source is one function that gives the folder of a release."""

from __future__ import annotations

from pathlib import Path

from containers.kit.errors import UserError
from workflow.scripts.objectnet.demo_images import Demo, generate
from workflow.scripts.objectnet.release import RELEASE


def demo(settings: Demo, scratch: Path, workers: int) -> Path:
    """Variants of real photos, made once and kept; the packages with the photos are kept beside `scratch`."""
    return generate(settings, scratch, packages(scratch), workers)


def packages(scratch: Path) -> Path:
    """Where wheels are kept that carry photos."""
    return scratch.absolute().parent / "packages"


def folder(path: Path) -> Path:
    """Images that are there already; they are used where they lie, and nothing is written to them."""
    if not path.is_dir():
        raise UserError(
            f"source {path} is neither 'demo' nor 'remote' nor a folder; set challenges.objectnet.source to one of them"
        )
    return path


def remote() -> Path:
    """The organisers' archive."""
    raise UserError(
        f"this version cannot fetch source 'remote' itself; download {RELEASE}.zip (197 GB; the organisers give the "
        f"password that opens it), unpack it and set challenges.objectnet.source to the folder {RELEASE}"
    )
