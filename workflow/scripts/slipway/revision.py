"""Which state of this repository an image is made of."""

from __future__ import annotations

import subprocess
from pathlib import Path


def revision(root: Path) -> str:
    """The commit, with `-dirty` where files differ from it; `unknown` where there is no repository."""
    commit = _git(root, "rev-parse", "--verify", "HEAD")
    if commit is None:
        return "unknown"
    return f"{commit}-dirty" if _git(root, "status", "--porcelain") else commit


def _git(root: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
