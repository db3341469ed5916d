"""Where the containers find things; SLIPWAY_* variables say otherwise on a host and in tests."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from containers.kit.settings import parse
from containers.stoic.settings import Settings

DEFAULTS = {
    "INPUT": "/input",
    "OUTPUT": "/output",
    "SCRATCH": "/scratch",
    "ARTIFACT": "/opt/app/artifact",
    "SETTINGS": "/opt/app/settings.json",
}


def place(name: str) -> Path:
    return Path(os.environ.get(f"SLIPWAY_{name}") or DEFAULTS[name])


def settings() -> Settings:
    """What was baked into the image; cut short in a rehearsal, which tries the container and not the network."""
    baked = parse(Settings, f"@{place('SETTINGS')}", "settings")
    if os.environ.get("SLIPWAY_REHEARSAL"):
        return replace(baked, train=replace(baked.train, epochs=1, only_folds=(0,)))
    return baked


def revision() -> str:
    """The git revision of the code: the image knows it, also when it was built by plain `docker build`."""
    baked = place("SETTINGS").parent / "REVISION"
    return os.environ.get("SLIPWAY_REVISION") or (baked.read_text().strip() if baked.is_file() else "") or "unknown"
