"""A scan as NIfTI: read as nnU-Net's reader would, label maps written in the scan's own geometry.

    scan = read(Path("amos_0001.nii.gz"))  # scan.voxels (z, y, x), x to the right, y to the front, z upwards
    write(Path("out/amos_0001.nii.gz"), labels, like=scan.head)

A 4-D file of one channel is a 3-D image: its label map is 3-D with the same affine, as graders compare 3-D arrays.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from isal import igzip
from nibabel.nifti1 import Nifti1Header
from nibabel.volumeutils import apply_read_scaling

from containers.amos.headers import Array, Head, head
from containers.amos.nifti import planes, repaired
from containers.kit.errors import UserError
from containers.kit.files import replacing

__all__ = ["Head", "Volume", "file_planes", "head", "read", "write"]
LEVEL = 1  # of igzip's 0 to 3: label maps shrink to a hundredth at any of them


@dataclass(frozen=True)
class Volume:
    head: Head
    voxels: Array  # (z, y, x), a view with any strides
    replaced: int = 0  # voxels that were NaN or infinite

    @property
    def spacing(self) -> tuple[float, float, float]:
        return self.head.spacing


def read(path: Path) -> Volume:
    """All voxels, in the smallest type that loses nothing that nnU-Net would see: as they are, or float32."""
    found = head(path)
    voxels = np.empty(found.file_shape[::-1], found.dtype)
    if found.dtype.kind != "f":
        for target, plane in zip(voxels, file_planes(found), strict=True):
            target[...] = plane
        return Volume(found, found.canonical(voxels))
    bad, lowest = 0, math.inf
    slope, inter = (np.float64(number) for number in found.scaling)
    for target, plane in zip(voxels, file_planes(found), strict=True):
        with np.errstate(all="ignore"):  # what is no number here is counted below
            # By way of double precision, one plane at a time: the same rounding as nnU-Net's.
            target[...] = (
                plane if plane.dtype.itemsize <= 4 and found.scaling == (1, 0) else _scaled(plane, slope, inter)
            )
        finite = np.isfinite(target)
        bad += finite.size - int(np.count_nonzero(finite))
        lowest = min(lowest, float(target.min(where=finite, initial=math.inf)))
    if bad:
        if bad == voxels.size:
            raise UserError(f"{path} has no voxel that is a finite number; write it again")
        for plane in voxels:
            np.copyto(plane, np.float32(lowest), where=~np.isfinite(plane))
    return Volume(found, found.canonical(voxels), bad)


def file_planes(found: Head) -> Iterator[Array]:
    """The file's own planes, unscaled, of which only one is in memory."""
    return planes(found.path, repaired(found.path, found.header), found.file_shape)


def write(path: Path, labels: Array, like: Head) -> None:
    """The label map in the order and with the header of `like`, whole or not at all; gzip where the name says so."""
    if labels.shape != like.shape or labels.dtype != np.uint8:
        raise ValueError(f"labels are {labels.dtype} of {labels.shape}, and {like.path} is {like.shape}")
    header = _label_header(like)
    try:
        # The temporary name is hidden and loses its .nii, so that nobody takes half a file for a label map.
        with replacing(path) as partial, _sink(partial, path.name.lower().endswith(".gz")) as stream:
            stream.write(header.binaryblock + bytes(header.single_vox_offset - header.structarr.nbytes))
            for plane in like.filed(labels):
                stream.write(np.ascontiguousarray(plane).data)
    except OSError as error:
        raise UserError(
            f"{path} cannot be written ({error.strerror or error}); make room, or open its folder"
        ) from None


def _scaled(plane: Array, slope: np.float64, inter: np.float64) -> Array:
    return np.asarray(apply_read_scaling(plane, slope, inter), np.float64)


def _label_header(like: Head) -> Nifti1Header:
    """The scan's own header, so that every program places both alike; only what is about its values is replaced."""
    header: Nifti1Header = like.header.as_byteswapped("<")
    header.set_data_shape(like.file_shape)
    header.set_data_dtype(np.uint8)
    values = {"scl_slope": 1, "scl_inter": 0, "cal_max": 0, "cal_min": 0, "intent_code": 0, "intent_name": b""}
    values |= {"intent_p1": 0, "intent_p2": 0, "intent_p3": 0, "vox_offset": header.single_vox_offset}
    for name, value in values.items():
        header[name] = value
    return header


@contextmanager
def _sink(path: Path, compressed: bool) -> Iterator[Any]:
    with path.open("wb") as file:
        if not compressed:
            yield file
            return
        # Without a name and a time in it, the same labels give the same bytes.
        with igzip.IGzipFile("", "wb", LEVEL, file, mtime=0) as stream:
            yield stream
