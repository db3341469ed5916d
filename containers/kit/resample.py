"""Resample, crop and pad a volume in one pass, touching only the voxels that the crop needs.

The result is that of SimpleITK's linear `ResampleImageFilter` on the image's own grid with a new spacing, beginning at
the image's own origin, cropped afterwards. Linear interpolation is separable: each source slice is brought to the new
grid in the plane once, and each new slice is a blend of two of those. Nothing of the volume's full size is made.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Anchor = Literal["centre", "end"]
Floats = NDArray[np.float32]
Indices = NDArray[np.intp]

TIE = 1e-6  # voxels; on the very border ITK goes by how the origin happens to round, and here it is always outside
HALF_BIAS = np.uint32(
    (112 << 23) - (1 << 12)
)  # the exponents' offsets differ by 112; half of the last bit that is kept


@dataclass(frozen=True)
class Axis:
    """Where the voxels of one new axis lie between the voxels of the old one."""

    inside: slice  # the new voxels that the image covers; the others are padding
    needed: slice  # the old voxels that they need
    lower: Indices  # within `needed`, for each voxel of `inside`
    upper: Indices
    weight: Floats  # of the upper one

    @classmethod
    def plan(cls, length: int, old: float, new: float, size: int, anchor: Anchor) -> Axis:
        """`length` voxels of `old` mm become `size` of `new` mm.

        The crop keeps the centre or the end, and padding goes where it is missing: to both sides, or to the beginning.
        Of an odd difference the larger half is cut from the end, or padded at the beginning.
        """
        total = max(1, round(length * old / new))
        begin = total - size if anchor == "end" else math.floor((total - size) / 2)
        position = np.arange(max(begin, 0), min(begin + size, total)) * (new / old)
        position = position[position < length - 0.5 - TIE]  # ITK takes what is further out for outside
        if not position.size:
            nothing = np.zeros(0, np.intp)
            return cls(slice(0, 0), slice(0, 1), nothing, nothing, np.zeros(0, np.float32))
        lower = np.minimum(np.floor(position).astype(np.intp), length - 1)
        upper = np.minimum(lower + 1, length - 1)
        first, last = int(lower[0]), int(upper[-1])
        shift = max(-begin, 0)
        return cls(
            inside=slice(shift, shift + len(position)),
            needed=slice(first, last + 1),
            lower=lower - first,
            upper=upper - first,
            weight=(position - lower).astype(np.float32),
        )


@dataclass(frozen=True)
class Grid:
    """The plan of all three axes, (Z, Y, X)."""

    axes: tuple[Axis, Axis, Axis]
    size: tuple[int, int, int]

    @classmethod
    def plan(
        cls,
        shape: tuple[int, int, int],
        spacing: tuple[float, float, float],
        new_spacing: float,
        size: tuple[int, int, int],
        anchors: tuple[Anchor, Anchor, Anchor],
    ) -> Grid:
        z, y, x = (
            Axis.plan(length, old, new_spacing, wanted, anchor)
            for length, old, wanted, anchor in zip(shape, spacing, size, anchors, strict=True)
        )
        return cls((z, y, x), size)

    @property
    def needed(self) -> tuple[slice, slice, slice]:
        z, y, x = self.axes
        return z.needed, y.needed, x.needed

    def transpose(self, first: int, second: int, third: int) -> Grid:
        axes, size = self.axes, self.size
        return Grid((axes[first], axes[second], axes[third]), (size[first], size[second], size[third]))


def window(values: Floats, low: float, high: float) -> Floats:
    """Clip to `low`..`high` and map that to 0..1, in place."""
    np.clip(values, low, high, out=values)
    values -= np.float32(low)
    values *= np.float32(1.0 / (high - low))
    return values


def resample(
    voxels: np.ndarray[Any, Any], grid: Grid, *, low: float, high: float, padding: float, dtype: type = np.float32
) -> np.ndarray[Any, Any]:
    """The windowed volume on the new grid; `voxels` are those of `grid.needed`, `padding` is in their unit (HU)."""
    order = np.argsort([-abs(step) for step in voxels.strides], kind="stable")
    if tuple(order) != (0, 1, 2):  # go through memory in its own order, and turn the small result instead
        turned = grid.transpose(*order)
        made = resample(voxels.transpose(order), turned, low=low, high=high, padding=padding, dtype=dtype)
        return np.ascontiguousarray(made.transpose(np.argsort(order)))
    z, y, x = grid.axes
    result: np.ndarray[Any, Any] = np.empty(grid.size, dtype)
    result[...] = window(np.full(1, padding, np.float32), low, high)[0]
    if not (z.weight.size and y.weight.size and x.weight.size):
        return result
    plane = _Plane(y, x)
    target = result[:, y.inside, x.inside]
    planes: dict[int, Floats] = {}
    blend = np.empty((len(y.weight), len(x.weight)), np.float32)
    for index, lower, upper, weight in zip(
        range(z.inside.start, z.inside.stop), z.lower, z.upper, z.weight, strict=True
    ):
        pair = {int(lower), int(upper)}
        planes = {part: planes[part] if part in planes else plane.of(voxels[part]) for part in pair}
        np.subtract(planes[int(upper)], planes[int(lower)], out=blend)
        blend *= weight
        blend += planes[int(lower)]
        _store(target[index], window(blend, low, high))
    return result


class _Plane:
    """Linear interpolation of one slice in the plane: rows first, since rows are copied fastest.

    The buffers live on: giving memory back and asking for it again would cost as much as the arithmetic.
    """

    def __init__(self, y: Axis, x: Axis) -> None:
        self.y, self.x = y, x
        width = x.needed.stop - x.needed.start
        self.rows, self.below = (np.empty((len(y.weight), width), np.float32) for _ in range(2))
        self.right = np.empty((len(y.weight), len(x.weight)), np.float32)

    def of(self, slice_: np.ndarray[Any, Any]) -> Floats:
        self.rows[...] = slice_[self.y.lower]
        self.below[...] = slice_[self.y.upper]
        _towards(self.rows, self.below, self.y.weight[:, None])
        result = self.rows.take(self.x.lower, axis=1)  # three times faster than rows[:, lower]
        self.rows.take(self.x.upper, axis=1, out=self.right, mode="clip")  # without a mode, `out` is copied
        _towards(result, self.right, self.x.weight)
        return result


def _towards(here: Floats, there: Floats, weight: Floats) -> None:
    """Move `here` to `there` by the weight, in place; `there` is used up."""
    there -= here
    there *= weight
    here += there


def _store(target: np.ndarray[Any, Any], values: Floats) -> None:
    """Write values of 0..1 into an array of half or single precision.

    numpy rounds to half precision one value at a time, which took a third of the whole; for values of 0..1 it is enough
    to move the bits of the exponent and the mantissa, with half of the last bit added to round. Only what is below
    2^-14 is not exact then, and stays below.
    """
    if target.dtype != np.float16:
        target[...] = values
        return
    bits = values.view(np.uint32)
    np.maximum(bits, HALF_BIAS, out=bits)
    bits -= HALF_BIAS
    bits >>= 13
    target.view(np.uint16)[...] = bits
