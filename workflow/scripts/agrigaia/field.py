"""A picture of a field from above: soil, a crop in rows, weeds between them, and the true place of every plant."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from contourpy import contour_generator
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from scipy.ndimage import gaussian_filter

from workflow.scripts.agrigaia.plants import CROPS, WEEDS, Random, draw

WIDTH, HEIGHT = 320, 240
RADII = (17.0, 27.0)  # of plants, in pixels
SEEN = 0.35  # of a pixel, where it counts as the plant's
SHARE = 0.6  # of a plant that must lie in the picture; less of it is not planted
CORNERS = 48  # of an outline, at most
WEEDY = 3  # weeds from which on a field is called so

Array = NDArray[np.float64]
Point = tuple[float, float]


@dataclass(frozen=True)
class Plant:
    species: str
    box: tuple[float, float, float, float]  # left, top, right, bottom
    outline: tuple[Point, ...]


@dataclass(frozen=True)
class Field:
    pixels: NDArray[np.uint8]
    crop: str
    plants: tuple[Plant, ...]

    @property
    def weeds(self) -> int:
        return sum(plant.species in WEEDS for plant in self.plants)


def grow(random: Random, crop: str, weeds: int) -> Field:
    """One field; there are fewer weeds than asked for where the crop leaves them no room."""
    picture = Image.fromarray(np.clip(_soil(random), 0, 255).astype(np.uint8))
    spots = _rows(random)
    wanted = [(crop, *spot) for spot in spots]
    wanted += [(str(random.choice(WEEDS)), *spot) for spot in _between(random, spots, weeds)]
    plants = [plant for one in wanted if (plant := _set(random, picture, *one)) is not None]
    light = random.uniform(0.8, 1.15) * (1 + random.uniform(-0.06, 0.06, 3))
    noisy = np.asarray(picture, float) * light + random.normal(0, 4, (HEIGHT, WIDTH, 3))
    return Field(np.clip(noisy, 0, 255).astype(np.uint8), crop, tuple(plants))


def _soil(random: Random) -> Array:
    """Crumbs of several sizes and some stones, in any of the browns that soils have."""
    colour = random.uniform(90, 150) * np.array([1, random.uniform(0.74, 0.86), random.uniform(0.5, 0.68)])
    crumbs = np.zeros((HEIGHT, WIDTH))
    for size, strength in ((1.0, 9.0), (3.0, 9.0), (14.0, 8.0)):
        layer = gaussian_filter(random.normal(0, 1, (HEIGHT, WIDTH)), size)
        crumbs += strength * layer / layer.std()
    soil = colour + crumbs[..., None]
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    for _ in range(int(random.integers(4, 14))):
        left, top, radius = random.uniform(0, WIDTH), random.uniform(0, HEIGHT), random.uniform(1.5, 4.5)
        stone = (x - left) ** 2 + ((y - top) * random.uniform(0.8, 1.4)) ** 2 < radius**2
        soil[stone] += random.uniform(15, 45)
    return soil


def _rows(random: Random) -> list[tuple[float, float, float]]:
    """Middle and radius of each crop plant: two rows, nearly upright, some of their plants missing."""
    lean, first = random.uniform(-0.12, 0.12), random.uniform(0.2, 0.3) * WIDTH
    spots = []
    for row in (first, first + 0.5 * WIDTH):
        y = random.uniform(5, 40)
        while y < HEIGHT:
            x = row + lean * (y - HEIGHT / 2) + random.normal(0, 3)
            if random.random() > 0.2:
                spots.append((float(x), float(y), float(random.uniform(*RADII))))
            y += random.uniform(62, 82)
    return spots


def _between(random: Random, taken: list[tuple[float, float, float]], count: int) -> list[tuple[float, float, float]]:
    """Places of weeds, where they touch no plant."""
    found: list[tuple[float, float, float]] = []
    for _ in range(60 * count):
        if len(found) == count:
            break
        x, y, radius = random.uniform(0, WIDTH), random.uniform(0, HEIGHT), random.uniform(*RADII)
        if all(math.dist((x, y), (u, v)) > 0.92 * (radius + other) for u, v, other in (*taken, *found)):
            found.append((float(x), float(y), float(radius)))
    return found


def _set(random: Random, picture: Image.Image, species: str, x: float, y: float, radius: float) -> Plant | None:
    """Put a plant and its shadow into the picture; None where too little of it would be seen."""
    drawn = draw(random, species, radius)
    left, top = round(x) - drawn.width // 2, round(y) - drawn.height // 2
    alpha = drawn.getchannel("A")
    whole: Array = np.asarray(alpha, float) / 255
    cut = whole[max(-top, 0) : HEIGHT - top, max(-left, 0) : WIDTH - left]  # what lies in the picture
    rows, columns = np.nonzero(cut > SEEN)
    if len(rows) < SHARE * (whole > SEEN).sum():
        return None
    shadow = alpha.filter(ImageFilter.GaussianBlur(2)).point(lambda value: value * 0.45)
    picture.paste((30, 22, 15), (left + 3, top + 3), shadow)
    picture.paste(drawn, (left, top), alpha)
    across, down = max(left, 0), max(top, 0)
    box = (across + columns.min(), down + rows.min(), across + columns.max() + 1, down + rows.max() + 1)
    x0, y0, x1, y1 = (float(value) for value in box)
    outline = ((min(max(x + across, x0), x1), min(max(y + down, y0), y1)) for x, y in _outline(cut))
    return Plant(species, (x0, y0, x1, y1), tuple(outline))


def _outline(cut: Array) -> list[Point]:
    """Around the plant and within its box, in as many points as a person would click."""
    blurred = np.pad(gaussian_filter(cut, 0.7), 1)
    lines: list[Array] = contour_generator(z=blurred).lines(SEEN)  # type: ignore[assignment]
    longest = max(lines, key=len)[:-1]  # it ends where it began
    places = np.linspace(0, len(longest), min(CORNERS, len(longest)), endpoint=False).astype(int)
    return [(float(x) - 0.5, float(y) - 0.5) for x, y in longest[places]]


def crop_of(index: int) -> str:
    """Fields take turns."""
    return CROPS[index % len(CROPS)]
