"""Where the container finds things; SLIPWAY_* variables say otherwise on a host and in tests."""

from __future__ import annotations

import os
from pathlib import Path

from containers.kit.settings import parse
from containers.objectnet.settings import Settings

DEFAULTS = {"INPUT": "/input", "OUTPUT": "/output"}
PREDICTIONS = "predictions.csv"
SETTINGS = "settings.json"
CODE = Path(__file__).resolve().parents[2]  # the folder that holds `containers`


def place(name: str) -> Path:
    return Path(os.environ.get(f"SLIPWAY_{name}") or DEFAULTS[name])


def settings() -> Settings:
    """What was baked into the image, in the working directory or beside the code, or else the defaults."""
    given = os.environ.get("SLIPWAY_SETTINGS")
    for baked in [Path(given)] if given else [Path(SETTINGS), CODE / SETTINGS]:
        if given or baked.is_file():
            return parse(Settings, f"@{baked}", "settings")
    return Settings()
