"""Where salt lies in a synthetic section: smooth fields that are positive inside, about in pixels from the boundary."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
TIDE = (1.0, 4.0)  # pixels by which a boundary waves
WAVE = (14.0, 40.0)  # pixels from one wave to the next


def clouds(random: np.random.Generator, shape: tuple[int, int], grain: tuple[float, float]) -> Floats:
    """Smooth noise of about mean 0 and standard deviation 1; `grain` is the size of its clouds in cells, by axis."""
    down, across = (_spline(length, size) for length, size in zip(shape, grain, strict=True))
    return np.asarray(down @ random.standard_normal((down.shape[1], across.shape[1])) @ across.T)


@lru_cache(maxsize=64)
def _spline(length: int, grain: float) -> Floats:
    """What each knot of a cubic spline adds to each cell, so that equal noise at the knots keeps its strength."""
    knots = max(5, math.ceil(length / grain) + 4)
    apart = np.abs(np.linspace(1, knots - 2, length)[:, None] - np.arange(knots))
    near, far = 2 / 3 - apart**2 + apart**3 / 2, (2 - np.minimum(apart, 2)) ** 3 / 6
    found = np.where(apart < 1, near, far)
    return np.asarray(found / np.sqrt((found**2).sum(axis=1)).mean())


def field(random: np.random.Generator, x: Floats, z: Floats) -> Floats:
    """One of several kinds of body; how much of it is in view is a matter of the level at which it is cut."""
    kinds = (_dome, _dome, _sheet, _slope, _slope, _stock)
    body = kinds[random.integers(len(kinds))](random, x, z)
    fine = z.shape[0] / (z[-1, 0] - z[0, 0])  # rows a pixel
    grain = float(random.uniform(*WAVE))
    return np.asarray(body + random.uniform(*TIDE) * clouds(random, body.shape, (grain * fine, grain)))


def cut(body: Floats, view: tuple[slice, slice], share: float) -> Floats:
    """The body, raised or lowered so that salt takes this share of the view."""
    level = np.quantile(body[view], 1 - share)
    return np.asarray(body - level)


def _dome(random: np.random.Generator, x: Floats, z: Floats) -> Floats:
    """It rises to a crest and has steep flanks."""
    width, steep = random.uniform(10, 35), random.uniform(0.5, 2.2)
    across = (x - random.uniform(-15, 116)) / width
    flank = steep * width * (np.sqrt(1 + across**2) - 1)
    return np.asarray((z - flank) / math.hypot(1, 0.6 * steep))


def _sheet(random: np.random.Generator, x: Floats, z: Floats) -> Floats:
    """It has a top and a base, and grows thin to one side."""
    middle = random.uniform(25, 80) + math.tan(math.radians(random.uniform(-22, 22))) * (x - 50)
    thinning = random.uniform(0.0, 0.35) * random.choice([-1, 1])
    return np.asarray(thinning * (x - 50) - np.abs(z - middle))


def _slope(random: np.random.Generator, x: Floats, z: Floats) -> Floats:
    """One tilted boundary; salt is mostly below it, seldom above, where its base is in view."""
    low, high = (215, 325) if random.random() < 0.12 else (15, 165)
    angle = math.radians(random.uniform(low, high))
    return np.asarray((x - 50) * math.cos(angle) + (z - 50) * math.sin(angle))


def _stock(random: np.random.Generator, x: Floats, z: Floats) -> Floats:
    """A round body, seen in part or whole."""
    wide, high = random.uniform(25, 60), random.uniform(20, 50)
    across, down = (x - random.uniform(0, 101)) / wide, (z - random.uniform(35, 110)) / high
    return np.asarray((1 - np.sqrt(across**2 + down**2 + 1e-6)) * min(wide, high))
