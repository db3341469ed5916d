"""The modules of a train container, by the plain names that they have in its image. Both architectures' are within
reach, but for args, setup and train, which have the same names in both: `load` gives one of those."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

from tests.processes import ROOT

AGRIGAIA = ROOT / "containers" / "agrigaia"
SHARED = tuple(AGRIGAIA / name for name in ("common", "training", "export"))
ARCHITECTURES = {path.name: path for path in sorted((AGRIGAIA / "architectures").iterdir()) if path.is_dir()}
for folder in (*SHARED, *ARCHITECTURES.values()):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def load(architecture: str, name: str) -> ModuleType:
    path = ARCHITECTURES[architecture] / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"agrigaia_{architecture}_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    if name != "args":
        sys.modules["args"] = load(architecture, "args")
    try:
        spec.loader.exec_module(module)
    finally:
        sys.modules.pop("args", None)
    return module
