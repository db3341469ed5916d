"""What every setup.py does with a data set: split it, link its pictures, and say where all that lies."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from annotated import CvatDataset
from folders import DATASETS_ROOT_PATH, PARTS, create_directory_structure, create_images


def arrange(data: CvatDataset, files: Sequence[Path], config: Mapping[str, Any]) -> dict[str, list[Path]]:
    """The files of each part, linked below /datasets/images."""
    parts = dict(zip(PARTS, data.split(files, config), strict=True))
    create_directory_structure()
    for part, chosen in parts.items():
        create_images(part, {file: data.names[file] for file in chosen})
        print(f"{part}: {len(chosen)} pictures")
    return parts


def places() -> dict[str, str]:
    """Keys of presets.json that hold other folders where the environment says so; on the platform the same ones."""
    found = {f"{kind}-dir": str(DATASETS_ROOT_PATH / kind) for kind in ("images", "labels")}
    output = os.environ.get("AGRIGAIA_TRAIN")
    return {**found, "output-dir": output} if output else found
