"""One process at a time: a lock on what is worked at itself, so that no other file stays behind."""

from __future__ import annotations

import fcntl
import os
import sys
from pathlib import Path


def lock(handle: int, waiting: str) -> None:
    """Have it for this process; `waiting` is said where another has it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(waiting, file=sys.stderr, flush=True)
        fcntl.flock(handle, fcntl.LOCK_EX)


def same(handle: int, path: Path, follow_symlinks: bool = True) -> bool:
    """Whether it is still what has this name: who had the lock before may have renamed or removed it."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat(follow_symlinks=follow_symlinks))
    except FileNotFoundError:
        return False
