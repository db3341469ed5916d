"""What the classifier says of each training image, where it did not learn from it; and what folds say as a whole."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from containers.kit.errors import UserError
from containers.kit.files import read_json
from containers.kit.logs import write_table
from containers.salt.postprocess import probabilities_of
from containers.salt.variants import HALF
from workflow.scripts.salt.job import Kind
from workflow.scripts.salt.learn import JUDGED, RECORD
from workflow.scripts.salt.packed import Array, Packed

COLUMNS = ("id", "fold", "coverage", "logit", "probability", "salt", "kept")
AGAIN = "run the rule that classifies again"


@dataclass(frozen=True)
class OutOfFold:
    """Of all images in the order of the ids."""

    logits: Array
    kept: Array  # (n,) whether an image has salt by the classifier

    @property
    def probabilities(self) -> Array:
        return probabilities_of(self.logits)


@dataclass(frozen=True)
class Judged:
    """What networks say of images that they did not learn from."""

    places: Array  # (m,) in the order of the ids, ascending
    logits: Array  # (m,) or (m, 101, 101)
    folds: tuple[int, ...]


def judged(folders: Sequence[Path], kind: Kind, packed: Packed) -> Judged:
    """What the folds in these folders say together; they must be of these images, and each fold there once."""
    folds, places, logits = [], [], []
    for folder in folders:
        record = read_json(folder / RECORD)
        if not isinstance(record, dict) or record.get("kind") != kind:
            raise UserError(f"{folder} holds no {kind} of the salt challenge; give those that were trained")
        index, said = _arrays(folder / JUDGED)
        fold = int(record["fold"])
        if record.get("data") != packed.fingerprint or not np.array_equal(index, packed.judged(fold)):
            raise UserError(f"{folder} was trained on other images or folds than {packed.folder} has; train it again")
        if fold in folds:
            raise UserError(f"{folder} is a second time fold {fold}; give each fold once")
        folds.append(fold)
        places.append(index)
        logits.append(said)
    there = np.concatenate(places)
    order = np.argsort(there)
    return Judged(there[order], np.concatenate(logits)[order], tuple(sorted(folds)))


def write(path: Path, packed: Packed, logits: Array) -> OutOfFold:
    """All images, in the order of the ids; `logits` are of single precision, and nine digits tell one from another."""
    found = OutOfFold(logits, probabilities_of(logits) > HALF)
    columns = (packed.ids, packed.folds, packed.coverages, logits, found.probabilities, packed.salt, found.kept)
    kinds = (str, int, float, float, float, int, int)
    rows = [
        {name: kind(value) for name, kind, value in zip(COLUMNS, kinds, row, strict=True)}
        for row in zip(*columns, strict=True)
    ]
    try:
        write_table(path, COLUMNS, rows)
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error.strerror}); make room there") from None
    return found


def read(path: Path, packed: Packed) -> OutOfFold:
    """What `write` wrote of these images."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            lines = list(csv.reader(stream, strict=True))
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); {AGAIN}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} is no CSV file ({error}); {AGAIN}") from None
    if not lines or tuple(lines[0]) != COLUMNS or any(len(line) != len(COLUMNS) for line in lines):
        raise UserError(f"{path} has not the columns {','.join(COLUMNS)}; {AGAIN}")
    rows: list[dict[str, Any]] = [dict(zip(COLUMNS, line, strict=True)) for line in lines[1:]]
    expected = [[one, str(fold)] for one, fold in zip(packed.ids, packed.folds, strict=True)]
    if [[row["id"], row["fold"]] for row in rows] != expected:
        raise UserError(f"{path} is of other images or folds than {packed.folder} has; {AGAIN}")
    try:
        logits = np.array([row["logit"] for row in rows], np.float64).astype(np.float32)
        kept = np.array([("0", "1").index(row["kept"]) for row in rows], bool)
    except ValueError as error:
        raise UserError(f"{path} has a field that is no number ({error}); {AGAIN}") from None
    return OutOfFold(logits, kept)


def _arrays(path: Path) -> tuple[Array, Array]:
    try:
        with np.load(path) as content:
            return content["index"], content["logits"]
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} does not hold what a network said ({error}); train it again") from None
