"""Where the container finds things; SLIPWAY_* variables say otherwise on a host and in tests.

The organisers' command mounts /workspace/input, their text says /input, and their example reads ./input: all will do.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from containers.amos.settings import Settings
from containers.kit.errors import UserError
from containers.kit.files import writable
from containers.kit.settings import parse

DEFAULTS = {"ARTIFACT": "/opt/app/artifact", "SETTINGS": "/opt/app/settings.json"}
ROOTS = (Path("/workspace"), Path(), Path("/"))  # of input and output, the first that holds something
SUFFIXES = (".nii.gz", ".nii")


def place(name: str) -> Path:
    return Path(os.environ.get(f"SLIPWAY_{name}") or DEFAULTS[name])


def settings() -> Settings:
    """What was baked into the image, or else the defaults."""
    baked = place("SETTINGS")
    return parse(Settings, f"@{baked}", "settings") if baked.is_file() else Settings()


def input_folder(roots: Sequence[Path] = ROOTS) -> Path:
    """The image has an empty /workspace/input of its own, so a folder with something in it goes before one without."""
    given = os.environ.get("SLIPWAY_INPUT")
    folders = [Path(given)] if given else [(root / "input").absolute() for root in roots]
    there = [folder for folder in folders if folder.is_dir()]
    if not there:
        raise UserError(f"there is no folder {' or '.join(map(str, folders))}; mount the scans there")
    return next((folder for folder in there if _names(folder)), there[0])


def output_folder(source: Path) -> Path:
    """Beside the input, made if it is missing, and ready to be written to."""
    folder = Path(os.environ.get("SLIPWAY_OUTPUT") or source.absolute().parent / "output")
    return writable(folder, ", or run with --user root")


def is_scan(name: str) -> bool:
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


def scans(folder: Path) -> tuple[list[Path], list[str]]:
    """The scans in the order of their names, and a remark on each other thing that is not hidden."""
    found, remarks = [], []
    for name in sorted(_names(folder)):
        path = folder / name
        if path.is_dir():
            remarks.append(f"{name} is a folder; what is in it is not segmented")
        elif is_scan(name):
            found.append(path)
        else:
            remarks.append(f"{name} is no .nii.gz file and is left alone")
    return found, remarks


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError as error:
        raise UserError(f"{folder} cannot be read ({error.strerror}); open it to this user") from None
