"""The training images as `pack` wrote them: two arrays, and a record of each image in the order of the ids."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from containers.kit.errors import UserError
from containers.kit.files import read_json

Array = np.ndarray[Any, Any]
IMAGES, MASKS, CASES = "images.npy", "masks.npy", "cases.json"
SCHEMA = 1


@dataclass(frozen=True)
class Packed:
    folder: Path
    ids: tuple[str, ...]
    images: Array  # (n, 101, 101) bytes, mapped from the file, as are the masks
    masks: Array  # (n, 101, 101), true where there is salt
    folds: Array  # (n,) the fold that each is judged in
    depths: Array  # (n,) float32 feet, the mean where there is none
    coverages: Array  # (n,) share of salt
    number: int  # of folds
    seed: int
    mean: float
    std: float
    fingerprint: str
    known: int  # images that have a depth

    @property
    def salt(self) -> Array:
        """(n,) whether there is any."""
        return self.coverages > 0

    def judged(self, fold: int) -> Array:
        """The images of a fold, as places in the order of the ids."""
        if not 0 <= fold < self.number:
            raise UserError(
                f"--fold {fold} is none of the {self.number} folds of {self.folder}; they are 0 to {self.number - 1}"
            )
        return np.flatnonzero(self.folds == fold)


def read(folder: Path) -> Packed:
    """What `pack` wrote to `folder`."""
    content = read_json(folder / CASES)
    try:
        if content["schema"] != SCHEMA:
            raise ValueError("of another version")
        cases = content["cases"]
        depths = [content["depth_mean"] if case["z"] is None else case["z"] for case in cases]
        packed = Packed(
            folder,
            tuple(case["id"] for case in cases),
            _mapped(folder / IMAGES),
            _mapped(folder / MASKS),
            np.array([case["fold"] for case in cases], np.int64),
            np.array(depths, np.float32),
            np.array([case["coverage"] for case in cases], np.float64),
            int(content["folds"]),
            int(content["seed"]),
            float(content["depth_mean"]),
            float(content["depth_std"]),
            str(content["fingerprint"]),
            sum(case["z"] is not None for case in cases),
        )
        if not len(packed.ids) == len(packed.images) == len(packed.masks):
            raise ValueError("arrays of other lengths")
    except (KeyError, TypeError, ValueError, OSError, EOFError) as error:
        raise UserError(f"{folder} does not hold packed images ({error}); run the rule that packs them") from None
    return packed


def _mapped(path: Path) -> Array:
    """Copied where it is written to: tensors want arrays that could be."""
    array: Array = np.load(path, mmap_mode="c")
    return array
