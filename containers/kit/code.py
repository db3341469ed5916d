"""What stands for code, in a key of what was made with it."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path

from containers.kit.files import sha256


def code(modules: Iterable[str], model: str = "") -> list[str]:
    """The hashes of modules, and of that of one's own network where `model` is `module:Class`."""
    own = [model.partition(":")[0]] if ":" in model else []
    try:
        specs = [importlib.util.find_spec(name) for name in (*modules, *own)]
    except (ImportError, ValueError):
        specs = []  # a wrong name is told when the network is made
    return [sha256(Path(spec.origin)) for spec in specs if spec and spec.origin and Path(spec.origin).is_file()]
