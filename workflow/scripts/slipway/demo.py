"""A folder of demo data: made whole or not at all, and not made again while it is as it was."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError
from containers.kit.files import read_json, write_json

RECORD = "demo.json"  # sizes of all files; written last


def made(folder: Path, settings: Mapping[str, Any], fill: Callable[[Path], None]) -> Path:
    """The folder, which `fill` makes if it is not there whole; its name must hold all that decides about its bytes."""
    if _complete(folder):
        return folder
    scratch = folder.parent
    scratch.mkdir(parents=True, exist_ok=True)
    partial_folder = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=scratch))
    try:
        fill(partial_folder)
        write_json(partial_folder / RECORD, {"demo": dict(settings), "sizes": _sizes(partial_folder)})
        if folder.exists():  # somebody took files out of it
            shutil.rmtree(folder)
        partial_folder.chmod(0o755)
        partial_folder.replace(folder)
    except OSError as error:
        if _complete(folder):  # another run was faster
            return folder
        raise UserError(f"{scratch} cannot take the demo data ({error.strerror}); make room there or move it") from None
    finally:
        shutil.rmtree(partial_folder, ignore_errors=True)
    return folder


def _sizes(folder: Path) -> dict[str, int]:
    files = [Path(base) / name for base, _, names in os.walk(folder) for name in names if name != RECORD]
    return {str(file.relative_to(folder)): file.stat().st_size for file in sorted(files)}


def _complete(folder: Path) -> bool:
    with suppress(UserError, KeyError, TypeError):
        return bool(read_json(folder / RECORD)["sizes"] == _sizes(folder))
    return False
