"""An archive loaded back, as the organisers do first: what counts is the image that comes out of the file."""

from __future__ import annotations

import subprocess
from pathlib import Path

from containers.kit.errors import UserError
from workflow.scripts.slipway.engine import Engine

KEPT = "slipway-kept-while-loading"


def load_back(engine: Engine, archive: Path, tag: str, image_id: str) -> None:
    """Take the tag away, load the archive, and see that it brings the tag back, on the very image that passed.

    A tag of ours keeps the layers meanwhile: should the archive be broken, the image is there as before.
    """
    if not archive.is_file():
        raise UserError(f"{archive} is not there; save the image first")
    engine.ask("tag", image_id, KEPT)
    try:
        if engine.image_id(tag) is not None:
            engine.ask("image", "rm", "--no-prune", tag)
        done = engine.run("load", "--input", str(archive), check=False)
        found = engine.image_id(tag)
        if done.returncode or found != image_id:
            engine.ask("tag", image_id, tag)
            if done.returncode:
                raise UserError(f"{engine.name} cannot load {archive}; its own words stand above; save the image again")
            raise UserError(f"{archive} brings {tag} as {found or 'nothing'} and {image_id} passed; save it again")
    finally:
        subprocess.run(engine.command("image", "rm", KEPT), capture_output=True, check=False)
