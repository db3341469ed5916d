"""Plants seen from above, drawn leaf by leaf; species differ in the form of their leaves and not in their greens."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

FINER = 3  # leaves are drawn so much larger, and made smaller at the end
SPECIES = ("beet", "chamomile", "maize", "thistle")
CROPS = ("beet", "maize")
WEEDS = ("chamomile", "thistle")
GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))  # between one leaf and the next

Points = list[tuple[float, float]]
Colour = tuple[int, int, int]
Random = np.random.Generator


def draw(random: Random, species: str, radius: float) -> Image.Image:
    """A square picture with the plant in its middle, transparent around it; `radius` is in pixels."""
    half = math.ceil(radius * 1.15) + 2
    canvas = Image.new("RGBA", (2 * half * FINER, 2 * half * FINER), (90, 100, 50, 0))
    brush = ImageDraw.Draw(canvas)
    green = _green(random)
    for angle, length in _leaves(random, species, radius * FINER):
        shade = 1 + 0.18 * math.cos(angle - 0.8) + random.normal(0, 0.05)  # towards the light or away from it
        FORMS[species](random, brush, half * FINER, angle, length, _tinted(green, shade))
    return canvas.resize((2 * half, 2 * half), Image.Resampling.LANCZOS)


def _green(random: Random) -> NDArray[np.float64]:
    """Any species can have any of them."""
    bright = random.uniform(0.75, 1.25)
    return np.array([random.uniform(60, 105), random.uniform(115, 150), random.uniform(40, 70)]) * bright


def _tinted(colour: NDArray[np.float64], factor: float) -> Colour:
    red, green, blue = np.clip(colour * factor, 0, 255).astype(int).tolist()
    return red, green, blue


def _leaves(random: Random, species: str, radius: float) -> list[tuple[float, float]]:
    """Angle and length of each leaf, the lowest first."""
    turn = random.uniform(0, 2 * math.pi)
    if species == "maize":  # to two sides, by turns
        count = int(random.integers(4, 7))
        angles = [turn + math.pi * (leaf % 2) + random.normal(0, 0.3) for leaf in range(count)]
    else:
        count = int(random.integers(*{"beet": (6, 9), "chamomile": (7, 10), "thistle": (6, 9)}[species]))
        angles = [turn + GOLDEN_ANGLE * leaf + random.normal(0, 0.12) for leaf in range(count)]
    shrink = 0.45 / max(count - 1, 1)
    return [(angle, radius * (1 - shrink * leaf) * random.uniform(0.9, 1.0)) for leaf, angle in enumerate(angles)]


def _blade(middle: float, angle: float, length: float, bend: float, widths: Sequence[float]) -> tuple[Points, Points]:
    """The outline of a leaf whose half widths are given from its foot to its tip, and its midrib."""
    along = np.linspace(0, 1, len(widths))
    heading = angle + bend * along
    step = length / (len(widths) - 1)
    x = middle + np.concatenate([[0], np.cumsum(np.cos(heading[:-1]) * step)])
    y = middle + np.concatenate([[0], np.cumsum(np.sin(heading[:-1]) * step)])
    across = np.asarray(widths) * length
    left = zip((x - np.sin(heading) * across).tolist(), (y + np.cos(heading) * across).tolist(), strict=True)
    right = zip((x + np.sin(heading) * across).tolist(), (y - np.cos(heading) * across).tolist(), strict=True)
    return [*left, *reversed(list(right))], list(zip(x.tolist(), y.tolist(), strict=True))


def _fill(brush: ImageDraw.ImageDraw, parts: tuple[Points, Points], colour: Colour, rib: int) -> None:
    outline, midrib = parts
    brush.polygon(outline, fill=(*colour, 255))
    pale = _tinted(np.array(colour, float), 1.25)
    brush.line(midrib[: -len(midrib) // 5], fill=(*pale, 255), width=rib)


def _beet(random: Random, brush: ImageDraw.ImageDraw, middle: float, angle: float, length: float, c: Colour) -> None:
    """A stalk, then a smooth oval."""
    along = np.linspace(0, 1, 24)
    oval = np.sqrt(np.clip(1 - ((along - 0.64) / 0.36) ** 2, 0, 1)) * random.uniform(0.2, 0.26)
    _fill(brush, _blade(middle, angle, length, random.normal(0, 0.15), np.maximum(oval, 0.03).tolist()), c, FINER)


def _maize(random: Random, brush: ImageDraw.ImageDraw, middle: float, angle: float, length: float, c: Colour) -> None:
    """A long ribbon that bends."""
    along = np.linspace(0, 1, 24)
    ribbon = np.sin(math.pi * (0.12 + 0.88 * along)) ** 0.7 * random.uniform(0.1, 0.14)
    _fill(brush, _blade(middle, angle, length * 1.05, random.normal(0, 0.6), ribbon.tolist()), c, FINER)


def _thistle(random: Random, brush: ImageDraw.ImageDraw, middle: float, angle: float, length: float, c: Colour) -> None:
    """Lobes with sharp tips."""
    along = np.linspace(0, 1, 41)
    teeth = np.abs((along * 5) % 1 - 0.5) * 2  # five to a side
    lobed = np.sin(math.pi * (0.1 + 0.9 * along)) * (0.07 + 0.2 * teeth) * random.uniform(0.9, 1.15)
    _fill(brush, _blade(middle, angle, length, random.normal(0, 0.2), lobed.tolist()), c, FINER)


def _chamomile(
    random: Random, brush: ImageDraw.ImageDraw, middle: float, angle: float, length: float, c: Colour
) -> None:
    """Threads to both sides of a thread."""
    _, axis = _blade(middle, angle, length, random.normal(0, 0.3), [0.0] * 15)
    width = max(2, round(length / 26))
    brush.line(axis, fill=(*c, 255), width=width + 1)
    for place, (x, y) in enumerate(axis[2:], 2):
        reach = length * 0.3 * math.sin(math.pi * (0.15 + 0.75 * place / len(axis)))
        for side in (-1, 1):
            to = angle + side * random.uniform(0.7, 1.1)
            brush.line([(x, y), (x + reach * math.cos(to), y + reach * math.sin(to))], fill=(*c, 255), width=width)


Form = Callable[[Random, ImageDraw.ImageDraw, float, float, float, Colour], None]
FORMS: dict[str, Form] = {"beet": _beet, "chamomile": _chamomile, "maize": _maize, "thistle": _thistle}
