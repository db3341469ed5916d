"""Where the voxels of a case lie: in the image, at the network's spacing, and in its windows.

Everything is in the plan's order of axes. Resampling as nnU-Net does it (scikit-image's resize, and nearest along a
coarse axis) is linear and works on one axis after another, so that each axis is a small matrix.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from containers.amos.plan import Plan, Resampling

Three = tuple[int, int, int]
Spacing = tuple[float, float, float]
NEGLIGIBLE = 1e-9  # what a cubic spline takes from voxels beyond sixteen is lost in float32 anyhow


@dataclass(frozen=True)
class Axis:
    """Resampling along one axis; `matrix` is (target, source)."""

    source: int
    target: int
    order: int
    separate: bool  # along an axis that is resampled by itself, SciPy places voxels like scikit-image but in other code

    @property
    def same(self) -> bool:
        return self.source == self.target

    @cached_property
    def matrix(self) -> Tensor:
        """Column by column: what SciPy makes of an image with a single 1."""
        found = np.empty((self.target, self.source))
        if self.separate:
            places = (self.source / self.target) * (np.arange(self.target) + 0.5) - 0.5
        one = np.zeros(self.source)
        for column in range(self.source):
            one[column] = 1
            if self.separate:
                values = ndimage.map_coordinates(one, places[None], order=self.order, mode="nearest")
            else:
                zoom = 1 / (self.source / self.target)
                values = ndimage.zoom(one, zoom, order=self.order, mode="nearest", grid_mode=True)
            found[:, column] = np.where(np.abs(values) < NEGLIGIBLE, 0, values)
            one[column] = 0
        return torch.from_numpy(found)

    @cached_property
    def _reaches(self) -> tuple[list[int], list[int]]:
        used = self.matrix.numpy() != 0
        return used.argmax(axis=1).tolist(), (self.source - used[:, ::-1].argmax(axis=1)).tolist()

    def reach(self, start: int, stop: int) -> tuple[int, int]:
        """The range of sources that the targets from `start` to `stop` are made of."""
        if self.same:
            return start, stop
        first, last = self._reaches
        return min(first[start:stop]), max(last[start:stop])


def axes(source: Three, target: Three, way: Resampling, spacing_from: Spacing, spacing_to: Spacing) -> list[Axis]:
    coarse = coarse_axis(way, spacing_from, spacing_to)
    return [
        Axis(n, m, way.order_z if axis == coarse else way.order, axis == coarse)
        for axis, (n, m) in enumerate(zip(source, target, strict=True))
    ]


def coarse_axis(way: Resampling, spacing_from: Spacing, spacing_to: Spacing) -> int | None:
    """The axis that is resampled by itself, since slices lie much further apart than voxels in them; None if none."""
    if way.separate is False:
        return None
    for spacing in (spacing_from, spacing_to):
        if way.separate or max(spacing) / min(spacing) > way.threshold:
            largest = [axis for axis in range(3) if max(spacing) / spacing[axis] == 1]
            return largest[0] if len(largest) == 1 else None
    return None


@dataclass(frozen=True)
class Grid:
    crop: Three  # of the image, without its zero margins
    net: Three  # the same at the network's spacing
    below: Three  # zeros before it, where it is smaller than the patch
    windows: tuple[tuple[int, ...], ...]  # where windows begin on each axis; below 0 lie padding zeros
    patch: Three
    spacing: Spacing  # of the image
    plan: Plan

    @cached_property
    def inward(self) -> list[Axis]:
        """From the image to the network."""
        return axes(self.crop, self.net, self.plan.voxels, self.spacing, self.plan.spacing)

    @cached_property
    def outward(self) -> list[Axis]:
        """From the network's logits to the image."""
        return axes(self.net, self.crop, self.plan.logits, self.plan.spacing, self.spacing)

    @property
    def coarse(self) -> int | None:
        """The axis of `inward` whose slices are clipped each by itself."""
        return coarse_axis(self.plan.voxels, self.spacing, self.plan.spacing)


def make(crop: Three, spacing: Spacing, plan: Plan, step: float) -> Grid:
    net = tuple(
        max(1, round(old / new * size)) if plan.resamples else size
        for old, new, size in zip(spacing, plan.spacing, crop, strict=True)
    )
    below = tuple(max(0, patch - size) // 2 for patch, size in zip(plan.patch, net, strict=True))
    starts = tuple(
        tuple(start - low for start in _starts(max(size, patch), patch, step))
        for size, patch, low in zip(net, plan.patch, below, strict=True)
    )
    return Grid(crop, _three(net), _three(below), starts, plan.patch, spacing, plan)


def _starts(size: int, patch: int, step: float) -> list[int]:
    """As evenly as whole numbers allow, and no further apart than `step` patches."""
    count = math.ceil((size - patch) / (patch * step)) + 1
    between = (size - patch) / max(1, count - 1)
    return [int(np.round(between * index)) for index in range(count)]


def _three(values: tuple[int, ...]) -> Three:
    return values[0], values[1], values[2]


@dataclass(frozen=True)
class Strip:
    """A part of the second axis that is predicted by itself, with every window that touches it."""

    out: tuple[int, int]  # rows of the image
    rows: tuple[int, int]  # rows of the network's grid that these are made of
    starts: tuple[int, ...]  # windows that touch those
    fed: tuple[int, int]  # rows of the network's grid that those windows see


def strips(grid: Grid, count: int) -> list[Strip]:
    edges = [round(grid.crop[1] * index / count) for index in range(count + 1)]
    found = []
    for start, stop in pairwise(edges):
        if start < stop:
            rows = grid.outward[1].reach(start, stop)
            touching = tuple(at for at in grid.windows[1] if at < rows[1] and at + grid.patch[1] > rows[0])
            fed = max(0, touching[0]), min(grid.net[1], touching[-1] + grid.patch[1])
            found.append(Strip((start, stop), rows, touching, fed))
    return found
