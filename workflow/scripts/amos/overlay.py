"""One slice of one case, with the organs as they are and as they were found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from containers.amos.organs import LAST, ORGANS
from containers.kit.files import replacing

WINDOW = (-160.0, 240.0)  # HU that a CT is shown with
COLOURS = (
    *("#b45ad1", "#f28e2b", "#ffbe7d", "#59a14f", "#d4a6c8", "#c44e52", "#e8a0a4", "#e6194b"),
    *("#4e79a7", "#f1ce63", "#2fb5ac", "#86dcd4", "#9c755f", "#76b7f2", "#b8d96c"),
)


def draw(path: Path, image: Path, truth: Path, prediction: Path, title: str) -> None:
    """Write a PNG of the slice that shows most organs, seen from the feet as radiologists do."""
    voxels, spacing = _slices(image)
    labels = [_slices(file)[0].astype(np.uint8) for file in (truth, prediction)]
    index = _richest(labels[0])
    low, high = WINDOW if title.startswith("CT") else np.percentile(voxels, [1, 99.5])
    figure = Figure(figsize=(12, 4.6), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    names = ("image", "truth", "prediction")
    for axes, name, drawn in zip(figure.subplots(1, 3), names, (None, *labels), strict=True):
        axes.imshow(_view(voxels, index), cmap="gray", vmin=low, vmax=high, aspect=spacing[1] / spacing[0])
        if drawn is not None:
            shown = np.ma.masked_equal(_view(drawn, index), 0)
            colours = ListedColormap(COLOURS)
            axes.imshow(shown, cmap=colours, vmin=0.5, vmax=LAST + 0.5, alpha=0.75, interpolation="nearest",
                        aspect=spacing[1] / spacing[0])  # fmt: skip
        axes.set_title(f"{title}, slice {index}" if drawn is None else name, fontsize=10)
        axes.set_axis_off()
    seen = sorted(set(np.unique([label[:, :, index] for label in labels]).tolist()) - {0})
    patches = [Patch(color=COLOURS[organ - 1], label=ORGANS[organ]) for organ in seen]
    figure.legend(handles=patches, loc="outside lower center", ncols=8, fontsize=8, frameon=False)
    with replacing(path) as partial:
        figure.savefig(partial, format="png", dpi=110, metadata={"Software": None})


def _slices(path: Path) -> tuple[NDArray[Any], tuple[float, ...]]:
    """Voxels along the patient's axes, and their spacing in mm; an oblique image is shown as if it were straight."""
    image = nib.as_closest_canonical(nib.load(path))
    return np.asanyarray(image.dataobj), tuple(float(step) for step in image.header.get_zooms()[:3])


def _view(voxels: NDArray[Any], index: int) -> NDArray[Any]:
    """An axial slice with the patient's right on the left and the front on top."""
    return voxels[::-1, ::-1, index].T


def _richest(labels: NDArray[Any]) -> int:
    """The slice with most organs, and of those the one where they are largest."""
    marks = [(len(np.unique(plane)), int(np.count_nonzero(plane))) for plane in np.moveaxis(labels, 2, 0)]
    return max(range(len(marks)), key=marks.__getitem__)
