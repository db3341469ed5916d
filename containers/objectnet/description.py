"""model.json: what lies beside a checkpoint that Slipway exported, and says how to use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError
from containers.kit.files import read_json, sha256
from containers.kit.settings import build
from containers.objectnet.settings import Transform

FILE = "model.json"
CHECKPOINT, ONNX = "model.safetensors", "model.onnx"


@dataclass(frozen=True)
class Description:
    model: str  # as in Candidate.model
    classes: int  # 1000 of ImageNet, or ObjectNet's own 313
    checksums: dict[str, str]  # sha256 of CHECKPOINT and of ONNX, by file name
    model_args: dict[str, Any] = field(default_factory=dict)
    transform: Transform | None = None  # None: model/data_transform_description.py


def read(folder: Path) -> Description:
    """The description in a folder of the artifact."""
    values = read_json(folder / FILE)
    if not isinstance(values, Mapping):
        raise UserError(f"{folder / FILE} must be a JSON object; export the artifact again")
    return build(Description, values, str(folder / FILE))


def beside(checkpoint: Path) -> Description | None:
    """The description of this very file; nothing where none lies beside it, or it is about other bytes."""
    if not (checkpoint.parent / FILE).is_file():
        return None
    described = read(checkpoint.parent)
    known = described.checksums.get(checkpoint.name)
    return described if known and checkpoint.is_file() and known == sha256(checkpoint) else None
