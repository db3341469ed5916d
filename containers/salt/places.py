"""Where the container finds things; SLIPWAY_* variables say otherwise on a host and in tests."""

from __future__ import annotations

import os
from pathlib import Path

from containers.kit.errors import UserError, listed
from containers.kit.files import writable
from containers.kit.settings import parse
from containers.salt.settings import Settings

DEFAULTS = {
    "INPUT": "/input",
    "OUTPUT": "/output",
    "ARTIFACT": "/opt/app/artifact",
    "SETTINGS": "/opt/app/settings.json",
}
SUFFIX = ".png"
DEPTHS = "depths.csv"
SUBMISSION = "submission.csv"


def place(name: str) -> Path:
    return Path(os.environ.get(f"SLIPWAY_{name}") or DEFAULTS[name])


def settings() -> Settings:
    """What was baked into the image, or else the defaults."""
    baked = place("SETTINGS")
    return parse(Settings, f"@{baked}", "settings") if baked.is_file() else Settings()


def images(folder: Path) -> tuple[list[Path], list[str]]:
    """The images in the order of their ids, and the names of other things that are not hidden."""
    try:
        with os.scandir(folder) as entries:
            there = [(entry.name, entry.is_file()) for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise UserError(f"{folder} cannot be read ({error.strerror}); name the folder with the images") from None
    names = {name for name, is_file in there if is_file and name.endswith(SUFFIX)}
    odd = sorted(name for name in names if not name.isprintable())
    if odd:
        raise UserError(f"{folder} holds {listed(list(map(ascii, odd)))}, which no line of a CSV can name; rename it")
    if not names:
        raise UserError(f"{folder} has no {SUFFIX} file; name the folder with the images")
    found = sorted((folder / name for name in names), key=lambda path: path.stem)
    return found, sorted(name for name, _ in there if name not in names and name != DEPTHS)


def output_folder() -> Path:
    """It is there and can be written to, which is seen before the work is done."""
    return writable(place("OUTPUT"))
