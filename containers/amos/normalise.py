"""The image as the network wants its intensities, one slice at a time: no normalised copy of it is ever whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from containers.amos.plan import Plan

Array = npt.NDArray[Any]
Slice = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
TINY = 1e-8  # a standard deviation below this is taken for this


def box(voxels: Array) -> tuple[slice, slice, slice] | None:
    """What holds all voxels that are not zero; None where all are."""
    planes = np.zeros(voxels.shape[0], bool)
    rows, columns = np.zeros(voxels.shape[1], bool), np.zeros(voxels.shape[2], bool)
    for index in range(voxels.shape[0]):
        there = _single(voxels[index]) != 0
        seen = there.any(axis=1)
        planes[index] = seen.any()
        rows |= seen
        columns |= there.any(axis=0)
    if not planes.any():
        return None
    first, second, third = (
        slice(int(found[0]), int(found[-1]) + 1) for found in map(np.flatnonzero, (planes, rows, columns))
    )
    return first, second, third


class Normaliser:
    """`voxels` is the image without its zero margins, in any type; slices come as float32."""

    def __init__(self, voxels: Array, plan: Plan) -> None:
        self.voxels = voxels
        self.mask: Mask | None = None
        self.clip: tuple[float, float] | None = None
        self.shift, self.scale = np.float32(0), np.float32(1)
        if plan.scheme == "CTNormalization":
            known = plan.intensity
            self.clip = known["percentile_00_5"], known["percentile_99_5"]
            self.shift, self.scale = np.float32(known["mean"]), np.float32(max(known["std"], TINY))
        elif plan.scheme == "ZScoreNormalization":
            if plan.masked:
                self.mask = filled(voxels)
            self.shift, self.scale = self._mean_and_deviation()
        elif plan.scheme == "RescaleTo01Normalization":
            low, high = self._extremes()
            self.shift, self.scale = low, max(high - low, np.float32(TINY))

    def slice(self, index: int) -> Slice:
        plane = _single(self.voxels[index], copy=True)
        if self.clip:
            np.clip(plane, *self.clip, out=plane)
        where: Any = True if self.mask is None else self.mask[index]  # outside the mask zeros stay zeros
        np.subtract(plane, self.shift, out=plane, where=where)
        np.divide(plane, self.scale, out=plane, where=where)
        return plane

    def bounds(self, axis: int | None) -> tuple[Slice, Slice]:
        """The smallest and the largest normalised value: of all, or of each slice across `axis`."""
        low, high = [], []
        across = {None: None, 0: None, 1: 1, 2: 0}[axis]  # of a slice, what is reduced
        for index in range(self.voxels.shape[0]):
            plane = self.slice(index)
            low.append(plane.min(axis=across))
            high.append(plane.max(axis=across))
        over = None if axis is None else 0
        if axis == 0:
            return np.array(low), np.array(high)
        return np.min(low, axis=over), np.max(high, axis=over)

    def _mean_and_deviation(self) -> tuple[np.float32, np.float32]:
        """Each slice's own mean and squares, joined in double precision: large sums lose nothing."""
        count, mean, squares = 0, 0.0, 0.0
        for index in range(self.voxels.shape[0]):
            plane = _single(self.voxels[index]).astype(np.float64)
            values = plane if self.mask is None else plane[self.mask[index]]
            if values.size:
                own = float(values.mean())
                squares += float(np.square(values - own).sum()) + (own - mean) ** 2 * count * values.size / (
                    count + values.size
                )
                mean += (own - mean) * values.size / (count + values.size)
                count += values.size
        return np.float32(mean), np.float32(max((squares / max(count, 1)) ** 0.5, TINY))

    def _extremes(self) -> tuple[np.float32, np.float32]:
        planes = [_single(plane) for plane in (self.voxels.min(axis=(1, 2)), self.voxels.max(axis=(1, 2)))]
        return planes[0].min(), planes[1].max()


def filled(voxels: Array) -> Mask:
    """Where voxels are not zero, and the holes in that: zeros with no way to the border over faces."""
    mask = np.empty(voxels.shape, bool)
    for index in range(voxels.shape[0]):
        mask[index] = _single(voxels[index]) == 0
    zones, count = ndimage.label(mask)
    hole = np.ones(count + 1, bool)
    for axis in range(3):
        for end in (0, -1):
            hole[zones.take(end, axis=axis)] = False
    hole[0] = True  # zone 0 is what is not zero
    for index in range(voxels.shape[0]):
        mask[index] = hole[zones[index]]
    return mask


def _single(values: Array, copy: bool = False) -> Slice:
    return values.astype(np.float32, order="C", copy=copy)
