"""What the header of a scan says: its shape, spacing and orientation in the order of nnU-Net's reader.

found = head(Path("amos_0001.nii.gz"))
found.shape, found.spacing, found.itemsize  # (z, y, x), x to the right, y to the front, z upwards
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.orientations import io_orientation
from nibabel.spatialimages import HeaderDataError

from containers.amos.nifti import read_header, repaired, voxel_type
from containers.kit.errors import UserError

SINGULAR = 1e-4  # the volume of the three directions, each of length one; upright ones give 1
Array = np.ndarray[Any, Any]
Triple = tuple[int, int, int]


@dataclass(frozen=True)
class Head:
    """What the header alone says. `axes` and `flipped` lead from the file's (k, j, i) array to (z, y, x)."""

    path: Path
    shape: Triple  # z, y, x
    spacing: tuple[float, float, float]  # mm, z, y, x
    dtype: np.dtype[Any]  # of what `read` gives
    affine: Array  # of the file's own (i, j, k)
    stored: np.dtype[Any]  # of the voxels in the file
    scaling: tuple[float, float]  # slope and intercept of those
    axes: Triple
    flipped: tuple[bool, bool, bool]
    header: Nifti1Header = field(repr=False)  # to the letter, so that what is written can say the same

    @property
    def itemsize(self) -> int:
        return int(self.dtype.itemsize)

    @property
    def file_shape(self) -> Triple:
        """In the file's own order i, j, k."""
        sides = [self.shape[self.axes.index(2 - axis)] for axis in range(3)]
        return sides[0], sides[1], sides[2]

    def canonical(self, array: Array) -> Array:
        """A view of the file's (k, j, i) array as (z, y, x)."""
        return array.transpose(self.axes)[self._turned]

    def filed(self, array: Array) -> Array:
        """The way back, a view as well."""
        return array[self._turned].transpose([self.axes.index(axis) for axis in range(3)])

    @property
    def _turned(self) -> tuple[slice, ...]:
        return tuple(slice(None, None, -1 if flip else 1) for flip in self.flipped)


def head(path: Path) -> Head:
    """Of a file whose voxels need not be read, nor even be there."""
    raw = read_header(path)
    good = repaired(path, raw)
    shape, stored = _shape(path, good), voxel_type(path, good)
    if not all(math.isfinite(step) and step != 0 for step in raw["pixdim"][1:4]):
        text = " x ".join(f"{step:g}" for step in raw["pixdim"][1:4])
        raise UserError(f"{path} has the spacing {text}; it should be positive, in mm")
    if not good["vox_offset"] >= good.single_vox_offset or math.isinf(good["vox_offset"]):
        raise UserError(f"{path} has a broken header (its voxels begin within it); write it again")
    try:
        affine, (slope, inter) = good.get_best_affine(), good.get_slope_inter()
    except (HeaderDataError, ValueError, np.linalg.LinAlgError) as error:
        raise UserError(f"{path} has a broken header ({error}); write it again") from None
    scaling = (1.0 if slope is None else slope, 0.0 if inter is None else inter)
    whole = stored.kind in "iu" and stored.itemsize <= 2 and scaling == (1, 0)
    orientation = _orientation(path, affine)
    axes, flipped = [0, 0, 0], [False, False, False]
    for axis, (world, direction) in enumerate(orientation):
        axes[2 - world], flipped[2 - world] = 2 - axis, direction < 0
    spacing = _spacing(good, affine, upright=orientation == [(0, 1), (1, 1), (2, 1)])
    return Head(
        path=path,
        shape=(shape[2 - axes[0]], shape[2 - axes[1]], shape[2 - axes[2]]),
        spacing=(spacing[2 - axes[0]], spacing[2 - axes[1]], spacing[2 - axes[2]]),
        dtype=stored.newbyteorder("=") if whole else np.dtype(np.float32),
        affine=affine,
        stored=stored,
        scaling=scaling,
        axes=(axes[0], axes[1], axes[2]),
        flipped=(flipped[0], flipped[1], flipped[2]),
        header=raw,
    )


def _shape(path: Path, header: Nifti1Header) -> Triple:
    try:
        shape = tuple(int(side) for side in header.get_data_shape())
    except HeaderDataError as error:
        raise UserError(f"{path} has a broken header ({error}); write it again") from None
    text = " x ".join(map(str, shape))
    if len(shape) < 3 or any(side != 1 for side in shape[3:]):
        raise UserError(f"{path} has {len(shape)} dimensions ({text}); it should be one 3-D image")
    if min(shape) < 1:
        raise UserError(f"{path} has no voxels ({text}); it should be a 3-D image")
    return shape[0], shape[1], shape[2]


def _orientation(path: Path, affine: Array) -> list[tuple[int, int]]:
    """For each axis of the file: the patient's axis nearest to it, and whether it runs along it or against it."""
    steps = np.linalg.norm(affine[:3, :3], axis=0)
    if not np.isfinite(affine).all() or not (steps > 0).all():
        raise UserError(f"{path} has an affine that is not a number or zero somewhere; write it again with a right one")
    if abs(np.linalg.det(affine[:3, :3] / steps)) < SINGULAR:
        raise UserError(f"{path} has a singular affine: two of its axes run in the same direction; write it again")
    return [(int(world), int(direction)) for world, direction in io_orientation(affine)]


def _spacing(header: Nifti1Header, affine: Array, upright: bool) -> list[float]:
    """Of i, j, k. nnU-Net takes the header's word for an upright image and the affine's for one that it turns."""
    if upright:
        return [float(step) for step in header.get_zooms()[:3]]
    steps = np.sqrt(np.sum(affine[:3, :3] * affine[:3, :3], axis=0))
    return [float(step) for step in steps.astype(header["pixdim"].dtype)]
