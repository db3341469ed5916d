"""What the training of the folds left: fold.json of each, which must be of one training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError
from containers.kit.files import read_json
from workflow.scripts.salt.job import Kind
from workflow.scripts.salt.learn import RECORD

ALIKE = ("model", "model_args", "inputs")  # of all networks of a kind
NEEDED = ("kind", "fold", *ALIKE, "snapshots", "history", "train", "trained", "judged", "notes", "versions")
AGAIN = "train it again"


@dataclass(frozen=True)
class Fold:
    folder: Path
    said: Mapping[str, Any]  # fold.json

    @property
    def number(self) -> int:
        return int(self.said["fold"])


def folds(folders: Sequence[Path], kind: Kind) -> tuple[Fold, ...]:
    """All folds of a kind in their order, once they are seen to be of one training."""
    found = sorted((_fold(folder, kind) for folder in folders), key=lambda fold: fold.number)
    for before, fold in pairwise(found):
        unlike = [name for name in ALIKE if fold.said[name] != before.said[name]]
        if unlike:
            raise UserError(f"{before.folder} and {fold.folder} differ in {unlike[0]}; train all folds alike")
    return tuple(found)


def _fold(folder: Path, kind: Kind) -> Fold:
    path = folder / RECORD
    said = read_json(path)
    if not isinstance(said, dict) or any(name not in said for name in NEEDED):
        raise UserError(f"{path} does not describe a trained fold; {AGAIN}")
    if said["kind"] != kind:
        raise UserError(f"--{kind} {folder} is of a {said['kind']}; name the folders of the {kind}")
    if not (said["snapshots"] and said["history"]):
        raise UserError(f"{path} names no snapshot; {AGAIN}")
    return Fold(folder, said)
