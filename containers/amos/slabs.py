"""The network's input, as far as one row of windows needs it: no resampled copy of the image is ever whole."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from containers.amos.grid import Grid
from containers.amos.normalise import Normaliser


class Feed:
    """Slices of the resampled image, rows `rows` of it; only those that the next windows need are kept.

    Resampled in double precision, as nnU-Net does it: the last bit of a voxel decides over a label now and then.
    """

    def __init__(
        self, image: Normaliser, grid: Grid, rows: tuple[int, int], bounds: tuple[Tensor, Tensor] | None
    ) -> None:
        self.image, self.grid, self.rows = image, grid, rows
        self.bounds = bounds  # that a slice is clipped to, see `bounds`
        self.flat: dict[int, Tensor] = {}  # slices of the image, resampled in plane
        self.ready: dict[int, Tensor] = {}  # slices of the resampled image

    def window(self, start: tuple[int, int, int]) -> Tensor:
        """(1, 1, z, y, x); zeros where it reaches over the image. Windows must come from top to bottom."""
        patch, net = self.grid.patch, self.grid.net
        found = torch.zeros((1, 1, *patch))
        ranges = [(max(0, at), min(size, at + width)) for at, size, width in zip(start, net, patch, strict=True)]
        (first, last), (top, bottom), (left, right) = ranges
        inside = found[0, 0, :, top - start[1] : bottom - start[1], left - start[2] : right - start[2]]
        self._advance(first, last)
        for index in range(first, last):
            rows = self.ready[index][top - self.rows[0] : bottom - self.rows[0], left:right]
            inside[index - start[0]] = rows
        return found

    def _advance(self, first: int, last: int) -> None:
        axis = self.grid.inward[0]
        for index in [index for index in self.ready if index < first]:
            del self.ready[index]
        for index in range(first, last):
            if index not in self.ready:
                sources = range(*axis.reach(index, index + 1))
                for old in [old for old in self.flat if old < sources.start]:
                    del self.flat[old]
                self.ready[index] = self._clipped(self._mixed(index, sources), index).float()

    def _mixed(self, index: int, sources: range) -> Tensor:
        axis = self.grid.inward[0]
        if axis.same:
            return self._flat(index)
        shares = axis.matrix[index]
        total = self._flat(sources.start).double() * shares[sources.start]
        for source in sources[1:]:
            total.add_(self._flat(source), alpha=float(shares[source]))
        return total

    def _flat(self, source: int) -> Tensor:
        if source not in self.flat:
            _, down, across = self.grid.inward
            plane = torch.from_numpy(self.image.slice(source))
            first, last = down.reach(*self.rows)
            plane = plane[first:last].clone() if last - first < len(plane) else plane
            if not across.same:
                plane = plane.double() @ across.matrix.T
            if not down.same:
                plane = down.matrix[slice(*self.rows), first:last] @ plane.double()
            self.flat[source] = plane
        return self.flat[source]

    def _clipped(self, plane: Tensor, index: int) -> Tensor:
        if self.bounds is None:
            return plane
        low, high = self.bounds
        if self.grid.coarse == 0:
            low, high = low[index], high[index]
        elif self.grid.coarse == 1:
            low, high = low[slice(*self.rows), None], high[slice(*self.rows), None]
        return plane.clamp_(low, high)


def bounds(image: Normaliser, grid: Grid) -> tuple[Tensor, Tensor] | None:
    """What nnU-Net clips a resampled voxel to, since a cubic curve overshoots: the extremes of the image, or where
    slices are resampled each by itself, those of the slice. None where nothing is resampled or nothing overshoots.
    """
    if grid.crop == grid.net or grid.plan.voxels.order < 2:
        return None
    low, high = (torch.from_numpy(np.asarray(found, float)) for found in image.bounds(grid.coarse))
    if grid.coarse is None:
        return low, high
    axis = grid.inward[grid.coarse]
    return (low, high) if axis.same else (axis.matrix @ low, axis.matrix @ high)
