"""Cases on disk that train fast: one .npy a case, to be memory-mapped, and a .json that says it is done.

The .json is written last, so whatever kills the writer, a case that has one is whole. It carries a mark of all that the
volume was made from; a case whose mark still holds is not made again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from containers.kit.errors import UserError
from containers.kit.files import replacing, write_json


def is_done(folder: Path, case: str, mark: Mapping[str, Any]) -> bool:
    """Whether the case is there, and was made from what `mark` says."""
    try:
        record = json.loads((folder / f"{case}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none, or not ours: make it again
        return False
    whole = isinstance(record, dict) and all(record.get(key) == value for key, value in mark.items())
    return whole and (folder / f"{case}.npy").is_file()


def save(folder: Path, case: str, volume: np.ndarray[Any, Any], record: Mapping[str, Any]) -> None:
    """Write the volume, then its record, which ends up as JSON."""
    try:
        (folder / f"{case}.json").unlink(missing_ok=True)  # from here until the end the case is not done
        for left in folder.glob(f".{case}.*"):  # by a run that was killed
            left.unlink(missing_ok=True)
        with replacing(folder / f"{case}.npy") as partial:
            np.save(partial, volume, allow_pickle=False)
        write_json(folder / f"{case}.json", record)
    except OSError as error:
        raise UserError(
            f"{folder} cannot take case {case} ({error.strerror}); make room there or choose another"
        ) from None
