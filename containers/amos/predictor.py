"""nnU-Net's labels of one image, in memory that does not grow with the image times the number of classes.

Windows go from the first slice to the last. When a row of them is done, the slices that no later window reaches are
finished: their logits become labels and make room. Of the image only the voxels as read and the labels are ever whole.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from tqdm import tqdm

from containers.amos import grid, normalise, slabs, windows
from containers.amos.canvas import Canvas, Labels, Painter
from containers.amos.ensemble import Ensemble
from containers.amos.estimate import fitting
from containers.amos.grid import Grid, Spacing, Strip
from containers.amos.model import Model
from containers.amos.normalise import Normaliser
from containers.amos.options import Options
from containers.kit.progress import bar

__all__ = ["Options", "segment"]
CPU = torch.device("cpu")


def segment(
    voxels: npt.NDArray[Any], spacing: Spacing, model: Model, options: Options, title: str = ""
) -> npt.NDArray[np.uint8]:
    """Labels of `voxels`, which are (z, y, x) as in RAS, x fastest; `title` names the progress bar."""
    plan = model.plan
    out = np.zeros(voxels.shape, np.uint8)
    turned = voxels.transpose(plan.transpose)
    inner = normalise.box(turned)
    if inner is None:
        print(f"warning: {title or 'the image'} has no voxel but zeros; all of it is background", file=sys.stderr)
        return out
    first, second, third = plan.transpose
    crop = turned[inner]
    cut = grid.make(crop.shape, (spacing[first], spacing[second], spacing[third]), plan, options.step)
    need = partial(fitting, cut, (voxels.shape[0], voxels.shape[1], voxels.shape[2]), 0, model)
    need(options, options.device)  # refuses before anything is computed
    image = Normaliser(crop, plan)
    held = 0 if image.mask is None else image.mask.nbytes
    case = _Case(cut, image, slabs.bounds(image, cut), model, options.mirror, title)
    places = _places(options.device)
    while places:
        device, sums = places.pop(0)
        strips = grid.strips(cut, need(replace(options, device=device), sums, held).strips)
        try:
            _in_strips(case, strips, device, sums, out.transpose(plan.transpose)[inner])
            break
        except RuntimeError as error:
            if not places:
                raise
            if not isinstance(error, torch.OutOfMemoryError):
                places = places[-1:]  # the GPU does not suit at all
            reason = str(error).splitlines()[0]
        # Here nothing of the failed attempt is held any more, the error's frames neither.
        where = "the CPU" if places[0][0] == CPU else "the GPU with less in its memory"
        print(f"warning: the GPU failed ({reason}); going on with {where}", file=sys.stderr, flush=True)
        with suppress(RuntimeError):
            torch.cuda.empty_cache()
    return out


def _places(device: torch.device) -> list[tuple[torch.device, torch.device]]:
    """Where the network and the sums of logits may lie, best first: where a GPU's memory ends, the CPU's is used."""
    return [(CPU, CPU)] if device == CPU else [(device, device), (device, CPU), (CPU, CPU)]


@dataclass(frozen=True)
class _Case:
    grid: Grid
    image: Normaliser
    bounds: tuple[Tensor, Tensor] | None
    model: Model
    mirror: bool
    title: str


def _in_strips(case: _Case, strips: list[Strip], device: torch.device, sums: torch.device, out: Labels) -> None:
    rows, _, columns = case.grid.windows
    count = sum(len(strip.starts) for strip in strips) * len(rows) * len(columns) * len(case.model.folds)
    ensemble = Ensemble(case.model, device, case.mirror)
    with bar(total=count, title=case.title) as progress:
        for strip in strips:
            _predict(case, strip, ensemble, sums, out, progress)


@torch.inference_mode()
def _predict(
    case: _Case, strip: Strip, ensemble: Ensemble, sums: torch.device, out: Labels, progress: tqdm[Any]
) -> None:
    """The labels of one strip, row by row of windows."""
    cut = case.grid
    feed = slabs.Feed(case.image, cut, strip.fed, case.bounds)
    canvas = Canvas(cut, strip, len(ensemble.folds), windows.weights(cut.patch, sums), sums)
    painter = Painter(cut, strip, out[:, slice(*strip.out)], sums)
    finished = 0
    for top, below in zip(cut.windows[0], (*cut.windows[0][1:], cut.net[0]), strict=True):
        for number, fold in enumerate(ensemble.folds):
            ensemble.load(fold)
            for start in product((top,), strip.starts, cut.windows[2]):
                canvas.add(ensemble.logits(feed.window(start)), start, number)
                progress.update()
        for index in range(finished, below):
            painter.add(index, canvas.take(index))
        finished = below
