"""A working folder as the container has it, and the template's programs run in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.processes import ROOT

COMMON = ROOT / "containers" / "agrigaia" / "common"


def write(folder: Path, **values: Any) -> None:
    """Each value as JSON, or as it is where it is text, to the file of its name."""
    for name, value in values.items():
        text = value if isinstance(value, str) else json.dumps(value)
        (folder / f"{name}.json").write_text(text, encoding="utf-8")


def run(folder: Path, *words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A program with this very Python as `python`, and the template's modules within reach."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    known = {"PATH": path, "PYTHONPATH": str(COMMON), "LANG": "C", "HOME": str(folder), **environment}
    return subprocess.run([str(word) for word in words], cwd=folder, env=known, capture_output=True, text=True)
