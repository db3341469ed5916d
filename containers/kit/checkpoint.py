"""Checkpoints that are whole or not there, and that only the training which wrote them takes up again.

A file is a magic word, the key of the training, the SHA-256 of the rest, and the rest: what `torch.save` writes.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import sys
from pathlib import Path
from typing import Any

import torch

from containers.kit.files import replacing

MAGIC = b"slipway checkpoint 1\n"


def save(path: Path, state: dict[str, Any], key: str) -> None:
    """Write `state` over `path` at once; `key` names what the state depends on."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    content = buffer.getbuffer()
    with replacing(path) as partial, partial.open("wb") as stream:
        stream.write(MAGIC + key.encode() + b"\n" + hashlib.sha256(content).hexdigest().encode() + b"\n")
        stream.write(content)


def load(path: Path, key: str) -> dict[str, Any] | None:
    """The state, or None where there is none to take up.

    A file that is torn, or that belongs to another training, is named, moved aside and counts as none.
    """
    remove_leftovers(path)
    if not path.is_file():
        return None
    try:
        return _read(path, key)
    except ValueError as why:
        aside = path.with_name(f"{path.name}.aside")
        path.replace(aside)
        print(f"warning: {path} {why}; it is now {aside.name}, and training begins anew", file=sys.stderr, flush=True)
        return None


def remove_leftovers(path: Path) -> None:
    """Delete what a killed process left while it wrote `path`."""
    for partial in path.parent.glob(f".{path.stem}.*{path.suffix}"):
        partial.unlink(missing_ok=True)


def _read(path: Path, key: str) -> dict[str, Any]:
    """The state; a ValueError says what is wrong with the file."""
    with path.open("rb") as stream:
        magic, owner, digest = (stream.readline(200) for _ in range(3))
        content = stream.read()
    if magic != MAGIC:
        raise ValueError("is not a checkpoint of this program")
    if hashlib.sha256(content).hexdigest().encode() != digest.strip():
        raise ValueError("is damaged")
    if owner.strip() != key.encode():
        raise ValueError("belongs to a training with other settings, data or code")
    try:
        state: dict[str, Any] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (RuntimeError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"cannot be read by this version of torch ({reason})") from None
    return state
