"""Read one 3-D image of any pixel type and orientation, in the order that arrays have here: (Z, Y, X), towards L, P, S.

    volume = Volume.open(Path("12.mha"))     # the header alone
    volume.shape, volume.spacing, volume.tags.get("PatientAge")
    voxels = volume.read()                   # a view of what SimpleITK read, axes permuted and flipped, not copied

An oblique image keeps its own grid: its axes are only renamed to the nearest of the patient's.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from containers.kit.errors import UserError
from containers.kit.metaimage import check_length, check_voxels, is_compressed, read_keys

Box = tuple[slice, slice, slice]
LARGEST = 1e30  # no unit of any scanner comes near it; beyond it single precision ends
WORTHWHILE = 0.8  # read a part only where it is less than this share of the whole: seeking is not free


@dataclass(frozen=True)
class Volume:
    """An image of which only the header has been read; the axes are already those of the patient."""

    path: Path
    shape: tuple[int, int, int]  # Z, Y, X
    spacing: tuple[float, float, float]  # mm, in the same order
    axes: tuple[int, int, int]  # which axis of the file's (z, y, x) array is Z, Y, X
    flipped: tuple[bool, bool, bool]  # whether that axis runs the other way
    tags: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path) -> Volume:
        reader = _reader(path)
        size, spacing = reader.GetSize(), reader.GetSpacing()
        _check(path, reader)
        axes, flipped = _orientation(reader.GetDirection(), reader.GetDimension())
        order = [2 - axis for axis in axes]  # SimpleITK counts x first
        return cls(
            path=path,
            shape=(size[order[0]], size[order[1]], size[order[2]]),
            spacing=(spacing[order[0]], spacing[order[1]], spacing[order[2]]),
            axes=axes,
            flipped=flipped,
            tags={key: reader.GetMetaData(key) for key in reader.GetMetaDataKeys()},
        )

    def read(self, box: Box | None = None) -> np.ndarray[Any, Any]:
        """The voxels of `box`, or all; a part is read by itself only where that spares work.

        Compressed files must be unpacked from their beginning in any case, and ITK does that faster in one go.
        """
        whole = tuple(slice(0, length) for length in self.shape)
        box = box or (whole[0], whole[1], whole[2])
        share = math.prod(part.stop - part.start for part in box) / math.prod(self.shape)
        if share < WORTHWHILE and not is_compressed(read_keys(self.path)[0]):
            voxels = self._execute(self._file_box(box))
            check_length(self.path, voxels.itemsize * math.prod(self.shape))
            return self._oriented(voxels)
        voxels = self._execute(None)
        check_voxels(self.path, voxels)
        return self._oriented(voxels)[box]

    def _execute(self, box: Box | None) -> np.ndarray[Any, Any]:
        reader = _reader(self.path)
        size = [self.shape[self.axes.index(axis)] for axis in (2, 1, 0)]
        begin = [0, 0, 0]
        if box:
            begin = [part.start for part in reversed(box)]
            size = [part.stop - part.start for part in reversed(box)]
        if box or reader.GetDimension() == 4:  # a length of 0 drops that axis
            flat = [0] * (reader.GetDimension() - 3)
            reader.SetExtractIndex([*begin, *flat])
            reader.SetExtractSize([*size, *flat])
        try:
            voxels = np.asarray(_Kept(reader.Execute()))
        except (RuntimeError, MemoryError) as error:
            raise UserError(f"{self.path} is truncated or damaged ({_short(error)}); fetch it again") from None
        if voxels.dtype.kind == "f" and not all((np.abs(part) < LARGEST).all() for part in voxels):
            raise UserError(f"{self.path} has voxels that are NaN or infinite; write it again without them")
        return voxels

    def _oriented(self, voxels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        backwards = slice(None, None, -1)
        return voxels.transpose(self.axes)[tuple(backwards if flip else slice(None) for flip in self.flipped)]

    def _file_box(self, box: Box) -> Box:
        """The same box in the order and the directions of the file."""
        parts = [slice(0, 0)] * 3
        for part, axis, flip, length in zip(box, self.axes, self.flipped, self.shape, strict=True):
            parts[axis] = slice(length - part.stop, length - part.start) if flip else part
        return parts[0], parts[1], parts[2]


class _Kept:
    """Lends an image's memory to an array and lives as long as that: SimpleITK's own view outlives its image."""

    def __init__(self, image: sitk.Image) -> None:
        self.image = image
        self.__array_interface__ = sitk.GetArrayViewFromImage(image).__array_interface__


def _reader(path: Path) -> sitk.ImageFileReader:
    if not path.is_file():
        raise UserError(f"{path} is not there; fetch it again")
    if path.stat().st_size == 0:
        raise UserError(f"{path} is empty; fetch it again")
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    if path.suffix.lower() in (".mha", ".mhd"):
        reader.SetImageIO("MetaImageIO")  # ITK knows these endings in small letters only
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise UserError(f"{path} is not a readable image ({_short(error)}); it should be a .mha or .mhd file") from None
    return reader


def _check(path: Path, reader: sitk.ImageFileReader) -> None:
    size, spacing = reader.GetSize(), reader.GetSpacing()
    shape = " x ".join(map(str, size))
    if min(size) < 1:
        raise UserError(f"{path} has no voxels ({shape}); it should be a 3-D image")
    if len(size) < 3 or len(size) > 4 or size[3:] not in ((), (1,)):
        raise UserError(f"{path} has {len(size)} dimensions ({shape}); it should be a 3-D image")
    if reader.GetNumberOfComponents() != 1:
        raise UserError(f"{path} has {reader.GetNumberOfComponents()} values a voxel; it should have one, in HU")
    if not all(math.isfinite(step) and step > 0 for step in spacing):
        raise UserError(f"{path} has the spacing {spacing}; it should be positive, in mm")


def _orientation(direction: tuple[float, ...], dimension: int) -> tuple[tuple[int, int, int], tuple[bool, bool, bool]]:
    """For Z, Y, X in turn: the axis of the file's (z, y, x) array nearest to it, and whether that runs backwards."""
    cosines = np.array(direction).reshape(dimension, dimension)[:3, :3][::-1, ::-1]  # S, P, L by z, y, x
    axes = max(itertools.permutations(range(3)), key=lambda order: sum(abs(cosines[i, order[i]]) for i in range(3)))
    flipped = [bool(cosines[i, axes[i]] < 0) for i in range(3)]
    return (axes[0], axes[1], axes[2]), (flipped[0], flipped[1], flipped[2])


def _short(error: Exception) -> str:
    """The last telling line of what SimpleITK says, without its own source's file names."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].split("ERROR:")[-1].strip().rstrip(".") if lines else "no reason given"
