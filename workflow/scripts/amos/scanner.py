"""Where the voxels of a demo image lie, and the file in which they are kept: as differently as scanners do it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from containers.kit.errors import UserError
from workflow.scripts.amos.anatomy import Modality
from workflow.scripts.amos.shapes import Frame

Affine = NDArray[np.float64]
PELVIS = -52.0  # z in mm where an image that does not show it ends


def grid(
    random: np.random.Generator, modality: Modality, orientation: str, tilt: float, pelvis: bool
) -> tuple[tuple[int, int, int], Affine]:
    """The size of an image in voxels, and its affine; `tilt` turns it out of the axes, in degrees about x.

    As few voxels as the small organs allow: a network must learn them in minutes without a GPU.
    """
    slices = int(random.integers(31, 35)) - (0 if modality == "CT" else 4)
    shape = (int(random.integers(64, 69)), int(random.integers(57, 61)), slices)
    high = random.uniform(112, 118)
    low = -high if pelvis else PELVIS
    plane = random.uniform(4.35, 4.7) if modality == "CT" else random.uniform(4.2, 4.5)
    spacing = np.round([plane, plane, (high - low) / slices], 4)
    sine, cosine = np.sin(np.radians(tilt)), np.cos(np.radians(tilt))
    turned = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    affine = np.eye(4)
    affine[:3, :3] = turned * spacing * [1 if letter in "RAS" else -1 for letter in orientation]
    affine[:3, 3] = np.round([0, 0, (high + low) / 2] - affine[:3, :3] @ ((np.array(shape) - 1) / 2), 4)
    return shape, affine


def frame(shape: tuple[int, int, int], affine: Affine) -> Frame:
    indices = np.indices(shape, np.float32)
    x, y, z = (np.tensordot(row[:3], indices, 1).astype(np.float32) + np.float32(row[3]) for row in affine[:3])
    return x, y, z


def write(path: Path, values: NDArray[Any], affine: Affine, dtype: str) -> None:
    """Unsigned files hold what is below 0, as HU are, with an offset in their header."""
    inter = -1024 if dtype == "uint16" and values.min() < 0 else 0
    voxels = values - inter if dtype == "float32" else np.rint(values - inter)
    image = nib.Nifti1Image(voxels.astype(dtype), affine, dtype=dtype)
    image.header.set_xyzt_units("mm", "sec")
    image.set_qform(affine, code=1)
    image.set_sform(affine, code=1)
    image.header.set_slope_inter(1, inter)
    try:
        nib.save(image, path)
    except OSError as error:
        told = error.strerror or error
        raise UserError(f"{path} cannot be written ({told}); make room there or choose another scratch") from None
