"""What a case will take in memory, known before its voxels are read, and the strips that make it fit.

Every part is counted at its largest, for an image without zero margins. Nothing grows with the image times the number
of classes: the largest part is one window's height of logits, and strips make that smaller.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch

from containers.amos import footprint, grid
from containers.amos.grid import Grid, Spacing, Strip, Three
from containers.amos.model import Model
from containers.amos.network import build
from containers.amos.options import Options
from containers.amos.plan import Plan
from containers.kit import memory
from containers.kit.errors import UserError

LIBRARIES = 128 << 20  # what PyTorch takes when it first computes, and what the allocator keeps between windows
RESERVE = 1 / 32  # of the limit, for the rest of the container
SPLINE = 36  # slices that a cubic spline takes besides those between which a voxel lies
MASKING = 6  # bytes a voxel while holes are filled
DOUBLE, FLOAT, HALF = 8, 4, 2


@dataclass(frozen=True)
class Need:
    """Bytes, each at its largest, and the number of strips for which they hold."""

    process: int  # held already
    input: int  # the voxels, where they are not held already
    working: int  # what is computed of them for one row of windows; before that, the mask
    buffer: int  # sums of logits
    output: int
    network: int  # weights, and what is computed in one window
    strips: int

    @property
    def total(self) -> int:
        return self.process + self.input + self.working + self.buffer + self.output + self.network


def need(shape: Three, itemsize: int, spacing: Spacing, model: Model, options: Options) -> Need:
    """Of an image (z, y, x) whose voxels are not read yet; a `UserError` where nothing makes it fit."""
    first, second, third = model.plan.transpose
    turned = (shape[first], shape[second], shape[third])
    whole = grid.make(turned, (spacing[first], spacing[second], spacing[third]), model.plan, options.step)
    return fitting(whole, shape, itemsize, model, options, options.device)


def fitting(
    cut: Grid, shape: Three, itemsize: int, model: Model, options: Options, buffer: torch.device, held: int = 0
) -> Need:
    """With as few strips as the limit allows; `itemsize` 0 says that the voxels are held already.

    `buffer` is where the sums of logits lie: on a GPU they take none of the memory that is counted here. `held` is how
    much of what is counted as work (the mask) this process holds already.
    """
    limit = options.limit or memory.limit()
    usable = limit - int(limit * RESERVE)
    voxels, inside = math.prod(shape), math.prod(cut.crop)
    masked = inside * model.plan.masked
    found: Need | None = None
    for count in range(1, len(cut.windows[1]) + 1):
        parts = [(_working(cut, strip), _sums(cut, strip, len(model.folds))) for strip in grid.strips(cut, count)]
        working = masked + LIBRARIES + max(part[0] for part in parts)
        sums = max(part[1] for part in parts) * (buffer.type == "cpu")
        window = _network(model, options)
        found = Need(
            process=memory.resident() - held,
            input=voxels * itemsize,
            working=max(working, LIBRARIES + MASKING * masked - sums - window),
            buffer=sums,
            output=voxels,
            network=window,
            strips=count,
        )
        if found.total <= usable:
            return found
    assert found is not None
    size, even = "x".join(map(str, shape)), f" even in {found.strips} strips" * (found.strips > 1)
    raise UserError(
        f"an image of {size} voxels needs about {found.total / memory.GIB:.2f} GiB{even} and the limit is "
        f"{limit / memory.GIB:.2f} GiB; give the container more memory, or raise predict.memory if it is set"
    )


def _sums(cut: Grid, strip: Strip, folds: int) -> int:
    voxels = min(cut.patch[0], cut.net[0]) * (strip.rows[1] - strip.rows[0]) * cut.net[2]
    return voxels * HALF * (cut.plan.classes * folds + 1)


def _working(cut: Grid, strip: Strip) -> int:
    """The network's input for one row of windows, a window of it, and the last steps of one slice of labels."""
    rows, width, classes = strip.rows[1] - strip.rows[0], cut.net[2], cut.plan.classes
    slices = min(cut.patch[0], cut.net[0]) + (0 if cut.inward[0].same else SPLINE * DOUBLE // FLOAT)
    fed = slices * (strip.fed[1] - strip.fed[0]) * width + 4 * cut.crop[1] * cut.crop[2] + math.prod(cut.patch)
    finished = 3 * classes * rows * width
    if cut.crop != cut.net:
        wide = classes * cut.crop[2]
        finished += wide * rows + 2 * wide * (strip.out[1] - strip.out[0])
    matrices = sum(axis.source * axis.target for axis in (*cut.inward, *cut.outward) if not axis.same)
    return FLOAT * (fed + finished) + DOUBLE * matrices


def _network(model: Model, options: Options) -> int:
    """The weights, twice while they are read, and one window: of what a GPU computes only the answer comes here."""
    weights, activations = _footprint(model.plan)
    answer = model.plan.classes * math.prod(model.plan.patch) * FLOAT
    if options.device.type != "cpu":
        return 2 * weights + answer
    mirrored = options.mirror and bool(model.mirror_axes)  # the sum is held while a mirrored copy is predicted
    return 2 * weights + activations + answer * mirrored


@lru_cache(maxsize=4)
def _footprint(plan: Plan) -> tuple[int, int]:
    with torch.device("meta"):
        made = build(plan)
    return footprint.weights(made), footprint.activations(made, plan.patch)
