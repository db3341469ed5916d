"""Small images to preprocess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk


def write(
    path: Path,
    voxels: np.ndarray[Any, Any],
    *,
    spacing: Sequence[float] = (1.0, 1.0, 1.0),
    origin: Sequence[float] = (0.0, 0.0, 0.0),
    direction: Sequence[float] = (1, 0, 0, 0, 1, 0, 0, 0, 1),
    compressed: bool = True,
    tags: Mapping[str, str] | None = None,
) -> Path:
    """Write (Z, Y, X) voxels; `spacing`, `origin` and `direction` count x first, as SimpleITK does."""
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection(direction)
    for key, value in (tags or {}).items():
        image.SetMetaData(key, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path), compressed)
    return path


def noise(shape: Sequence[int], seed: int = 0, dtype: type = np.int16) -> np.ndarray[Any, Any]:
    """HU that differ everywhere."""
    return np.random.default_rng(seed).integers(-1100, 301, shape).astype(dtype)


def data_set(root: Path, labels: Mapping[int, tuple[int, int]], side: int = 8) -> Path:
    """A tiny data set in the organisers' layout: {id: (covid, severe)}."""
    for case in labels:
        tags = {"PatientAge": "065Y", "PatientSex": "F"}
        write(root / f"data/mha/{case}.mha", noise((side, side, side), case), spacing=(2.0, 2.0, 2.0), tags=tags)
    lines = ["PatientID,probCOVID,probSevere", *(f"{case},{c},{s}" for case, (c, s) in labels.items())]
    (root / "metadata").mkdir(parents=True, exist_ok=True)
    (root / "metadata/reference.csv").write_text("\n".join(lines) + "\n")
    return root
