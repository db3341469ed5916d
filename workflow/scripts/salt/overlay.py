"""Some images of the test, with outlines of the salt that is there and of the salt that was found."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from containers.kit.errors import UserError
from containers.kit.files import replacing
from containers.salt import metric
from containers.salt.images import Unreadable, decode
from containers.salt.rle import SIZE, decode_all

MOST, COLUMNS = 12, 4
TRUE, FOUND = "#2fb5ac", "#f28e2b"
Array = np.ndarray[Any, Any]


def draw(path: Path, images: Mapping[str, Path], found: Mapping[str, str], truth: Mapping[str, str] | None) -> None:
    """A PNG; masks are texts by the images' ids, and the truth may not be known."""
    names = pick(found, truth)
    predicted = decode_all([found[name] for name in names], names)
    true = decode_all([truth[name] for name in names], names) if truth else None
    scores = metric.of_all(true, predicted) if true is not None else None
    columns = min(COLUMNS, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(2.5 * columns, 2.8 * rows + 0.4), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    places = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in places[len(names) :]:
        axes.set_axis_off()
    for index, (name, axes) in enumerate(zip(names, places, strict=False)):
        axes.imshow(_image(images[name]), cmap="gray", vmin=0, vmax=255)
        if true is not None:
            _outline(axes, true[index], TRUE, 2.4)
        _outline(axes, predicted[index], FOUND, 1.2)
        score = f", AP {scores[index]:.1f}" if scores is not None else ""
        axes.set_title(f"{name}{score}", fontsize=9)
        axes.set(xlim=(-1, SIZE), ylim=(SIZE, -1), xticks=[], yticks=[])
    lines = {"found": (FOUND, 1.2)} if truth is None else {"true salt": (TRUE, 2.4), "found": (FOUND, 1.2)}
    handles = [Line2D([], [], color=colour, linewidth=width) for colour, width in lines.values()]
    figure.legend(handles, list(lines), loc="outside lower center", ncols=2, fontsize=9, frameon=False)
    with replacing(path) as partial:
        figure.savefig(partial, format="png", dpi=100, metadata={"Software": None})


def pick(found: Mapping[str, str], truth: Mapping[str, str] | None, most: int = MOST) -> list[str]:
    """A few images with salt, from the worst to the best where the truth is known; the rest where few have any."""
    mixed = sorted(found, key=lambda name: hashlib.sha256(name.encode()).digest())
    salty = [name for name in mixed if found[name] or (truth and truth[name])]
    if truth:
        masks = [decode_all([texts[name] for name in salty], salty) for texts in (truth, found)]
        scores = dict(zip(salty, metric.of_all(masks[0], masks[1]).tolist(), strict=True))
        salty.sort(key=lambda name: scores[name])
    chosen = _spread(salty, most)
    return chosen + [name for name in mixed if name not in salty][: most - len(chosen)]


def _spread(names: Sequence[str], most: int) -> list[str]:
    """So many of them, evenly from the first to the last."""
    if len(names) <= most:
        return list(names)
    return [names[round(place)] for place in np.linspace(0, len(names) - 1, most)]


def _image(path: Path) -> Array:
    try:
        return decode(path)
    except Unreadable as error:
        raise UserError(f"{path} cannot be read ({error}); fetch the data again") from None


def _outline(axes: Axes, mask: Array, colour: str, width: float) -> None:
    """The border of a mask, also where it runs along the image's edge."""
    if not mask.any():
        return
    padded = np.zeros((SIZE + 2, SIZE + 2))
    padded[1:-1, 1:-1] = mask
    steps = np.arange(-1, SIZE + 1)
    axes.contour(steps, steps, padded, levels=[0.5], colors=colour, linewidths=width)
