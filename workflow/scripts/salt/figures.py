"""Pictures for the notebooks: grey images in a row, with masks as coloured outlines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

Array = np.ndarray[Any, Any]
SALT, SAID = "#ffb000", "#00c2ff"  # the truth and a prediction: told apart on grey, and by colour-blind eyes
SIDE = 2.6  # inches of a panel
MOST = 4  # panels in a line


def row(images: Sequence[Array], titles: Sequence[str], masks: Mapping[str, Sequence[Array]] | None = None) -> None:
    """Images beside each other, four in a line, 0 black and 255 white; `masks` has one an image for each colour."""
    _, axes = panels(len(images))
    for place, (axis, image, title) in enumerate(zip(axes, images, titles, strict=True)):
        grey(axis, image, title)
        for colour, of_image in (masks or {}).items():
            outline(axis, of_image[place], colour)


def panels(count: int, wide: float = 1.0) -> tuple[Any, list[Axes]]:
    """A figure with axes beside each other, four in a line, each a square or `wide` times as wide."""
    across, down = min(count, MOST), math.ceil(count / MOST)
    size = (SIDE * wide * across, (SIDE + 0.4) * down)
    figure, axes = plt.subplots(down, across, figsize=size, squeeze=False, layout="constrained")
    for axis in axes.flat[count:]:
        axis.axis("off")
    return figure, list(axes.flat[:count])


def grey(axis: Axes, image: Array, title: str) -> None:
    axis.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axis.set_title(title, fontsize=10)
    axis.set_xticks([])
    axis.set_yticks([])


def outline(axis: Axes, mask: Array, colour: str) -> None:
    """Around the mask, also along the image's edge."""
    framed = np.pad(np.asarray(mask, np.float64), 1)
    places = [np.clip(np.arange(side) - 1, -0.4, side - 2.6) for side in framed.shape]
    if framed.any():
        axis.contour(places[1], places[0], framed, levels=[0.5], colors=[colour], linewidths=1.8)


def frame(axis: Axes, top: int, left: int, side: int, colour: str = SAID) -> None:
    """A square around a part of an image."""
    axis.add_patch(Rectangle((left - 0.5, top - 0.5), side, side, fill=False, edgecolor=colour, linewidth=1.8))


def numbered(axis: Axes, mask: Array, numbers: Array, title: str) -> None:
    """Few pixels, large, each with its number; those of salt coloured."""
    axis.imshow(np.where(mask, 1.0, 0.0), cmap="Oranges", vmin=0, vmax=2)
    for (down, across), number in np.ndenumerate(numbers):
        axis.text(across, down, str(number), ha="center", va="center", fontsize=9)
    axis.set_title(title, fontsize=10)
    axis.set(xlabel="column", ylabel="row", xticks=range(mask.shape[1]), yticks=range(mask.shape[0]))
