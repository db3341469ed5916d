"""The network's output, as far as one row of windows reaches, and the labels that are made of what is finished."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from containers.amos.grid import Grid, Strip
from containers.kit.errors import UserError

Labels = npt.NDArray[np.uint8]


class Canvas:
    """Sums of weighted logits, of as many slices as a window has: a slice's place is its number modulo that many, so
    that nothing moves when the windows go down.

    The arithmetic is nnU-Net's own, in half precision and in its order, so that its labels come out. Each fold has sums
    of its own for that: one array of floats for all would do with less, but rounds otherwise (one voxel in a thousand
    of noisy logits had another label).
    """

    def __init__(self, grid: Grid, strip: Strip, folds: int, weights: Tensor, device: torch.device) -> None:
        self.grid, self.strip, self.weights = grid, strip, weights
        self.height = min(grid.patch[0], grid.net[0])
        shape = (self.height, strip.rows[1] - strip.rows[0], grid.net[2])
        self.sums = torch.zeros((folds, grid.plan.classes, *shape), dtype=torch.half, device=device)
        self.shares = torch.zeros(shape, dtype=torch.half, device=device)

    def add(self, logits: Tensor, start: tuple[int, int, int], fold: int) -> None:
        """Of a window that begins at `start`, by fold number `fold` from 0."""
        near = (0, self.strip.rows[0], 0)
        far = (self.grid.net[0], self.strip.rows[1], self.grid.net[2])
        first = [max(at, low) for at, low in zip(start, near, strict=True)]
        last = [min(at + n, high) for at, n, high in zip(start, self.grid.patch, far, strict=True)]
        inside = tuple(slice(a - at, b - at) for a, b, at in zip(first, last, start, strict=True))
        rows, columns = slice(first[1] - near[1], last[1] - near[1]), slice(first[2], last[2])
        weights = self.weights[inside]
        logits = logits[:, *inside].to(self.sums.device)
        logits *= weights
        for place, part in self._places(first[0], last[0]):
            for total, term in zip(self.sums[fold], logits, strict=True):
                total[place, rows, columns] += term[part]
            if fold == 0:  # the others' windows are the same
                self.shares[place, rows, columns] += weights[part]

    def take(self, index: int) -> Tensor:
        """The logits (class, y, x) of slice `index`, after which its place is free."""
        place = index % self.height
        sums, shares = self.sums[:, :, place], self.shares[place]
        found = sums[0] / shares
        for more in sums[1:]:
            found += more / shares
        if len(sums) > 1:
            found /= len(sums)
        if not torch.isfinite(found.sum(dtype=torch.float)):  # far quicker than to look at each
            raise UserError(
                "the network's answer is not finite, or too large for half precision; the image has voxels that are no "
                "numbers, or the training diverged"
            )
        sums.zero_()
        shares.zero_()
        return found

    def _places(self, first: int, last: int) -> list[tuple[slice, slice]]:
        """Where slices lie here, and which of them: two ranges where they go over the end."""
        begin, count = first % self.height, last - first
        before = min(count, self.height - begin)
        found = [(slice(begin, begin + before), slice(0, before))]
        return found + [(slice(0, count - before), slice(before, count))] * (before < count)


class Painter:
    """Turns finished slices of logits into labels of the image, `out`, which is one strip of it."""

    def __init__(self, grid: Grid, strip: Strip, out: Labels, device: torch.device) -> None:
        self.grid, self.out = grid, out
        self.deep, down, across = grid.outward
        self.down = None if down.same else down.matrix[slice(*strip.out), slice(*strip.rows)].float().to(device)
        self.across = None if across.same else across.matrix.T.float().to(device)
        self.waiting: dict[int, Tensor] = {}
        self.next = 0  # slice of the image

    def add(self, index: int, logits: Tensor) -> None:
        self.waiting[index] = logits
        while self.next < self.deep.target:
            first, last = self.deep.reach(self.next, self.next + 1)
            if last > index + 1:
                break
            self.out[self.next] = self._labels(first, last)
            self.next += 1
            for old in [old for old in self.waiting if old < first]:
                del self.waiting[old]

    def _labels(self, first: int, last: int) -> Labels:
        plane = self.waiting[first]
        if self.grid.crop != self.grid.net:
            plane = self._resampled(first, last)
        # Comparing class by class is several times as fast as argmax, and takes the first of equals just the same.
        best, labels = plane[0].clone(), torch.zeros(plane.shape[1:], dtype=torch.uint8, device=plane.device)
        for number in range(1, len(plane)):
            labels.masked_fill_(plane[number] > best, number)
            torch.maximum(best, plane[number], out=best)
        return labels.cpu().numpy()

    def _resampled(self, first: int, last: int) -> Tensor:
        plane = self.waiting[first].float()
        if not self.deep.same:
            shares = self.deep.matrix[self.next]
            plane = plane * float(shares[first])
            for index in range(first + 1, last):
                plane.add_(self.waiting[index], alpha=float(shares[index]))
        if self.across is not None:
            plane = plane @ self.across
        if self.down is not None:
            plane = self.down @ plane
        return plane.half()  # nnU-Net keeps what it resampled so, and equals are found equal only then
