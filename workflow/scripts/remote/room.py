"""Whether there is room for what is to come, asked before it comes."""

from __future__ import annotations

import shutil
from pathlib import Path

from containers.kit.errors import UserError


def need(folder: Path, size: int, what: str) -> None:
    """Go on if `folder`, which need not be there yet, has room for `size` more bytes."""
    left = free(folder)
    if size > left:
        raise UserError(
            f"{folder} has {amount(left)} free and {what} takes {amount(size)}; make room there or move scratch"
        )


def free(folder: Path) -> int:
    there = next(one for one in (folder, *folder.absolute().parents) if one.is_dir())
    return shutil.disk_usage(there).free


def amount(size: float) -> str:
    """Bytes for people."""
    for unit, power in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= power:
            return f"{size / power:.1f} {unit}"
    return f"{size:.0f} bytes"
