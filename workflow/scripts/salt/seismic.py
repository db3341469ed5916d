"""Synthetic seismic images of 101 x 101 with salt or without, drawn by a seed: layers, faults, a wavelet, and noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d, gaussian_filter, gaussian_filter1d, uniform_filter

from containers.salt.rle import SIZE
from workflow.scripts.salt.bodies import Floats, clouds, cut, field

FINE = 2  # rows a pixel: reflectors are thinner than pixels
ABOVE, BESIDE = 24, 6  # pixels around the view, for the wavelet and the smoothing
VIEW = (slice(FINE * ABOVE, FINE * (ABOVE + SIZE), FINE), slice(BESIDE, BESIDE + SIZE))
LAYERS = (1.5, 7.0)  # mean thickness in pixels, by image
PERIOD = (7.0, 16.0)  # of the wavelet, in pixels
FAULTS = (0.45, 0.3, 0.17, 0.08)  # how likely 0, 1, 2 and 3 are
CHAOS = (0.4, 1.15)  # strength of what salt looks like, over that of the layers
TOP = (2.5, 5.0)  # strength of its boundary over that of a layer's
GAIN = (45 * FINE, 45)  # over how much the gain control looks, in rows and columns
FAINT = 0.05  # share of the bodies whose boundary is hardly seen


@dataclass(frozen=True)
class Picture:
    grey: NDArray[np.uint8]
    salt: NDArray[np.bool_]


def draw(random: np.random.Generator, share: float) -> Picture:
    """An image of which salt takes this share."""
    rows = np.arange((SIZE + 2 * ABOVE) * FINE) / FINE - ABOVE
    x, z = np.meshgrid(np.arange(-BESIDE, SIZE + BESIDE, dtype=float), rows)
    body = _body(random, x, z, share)
    salt = body[VIEW] > 0
    ages = _ages(random, x, z, body)
    layers = _layers(random, ages)
    reflectivity = _mixed(random, layers, body) if salt.any() else layers
    section = _recorded(random, reflectivity, z)[VIEW]
    return Picture(_greys(random, section), salt)


def _body(random: np.random.Generator, x: Floats, z: Floats, share: float) -> Floats:
    """The field of the salt; without any, and with nothing else, its boundary is out of sight."""
    if share <= 0 or share >= 1:
        return np.full(x.shape, -1e3 if share <= 0 else 1e3)
    return cut(field(random, x, z), VIEW, share)


def _ages(random: np.random.Generator, x: Floats, z: Floats, body: Floats) -> Floats:
    """The depth at which what lies here was laid down: layers dip, bend, break, and rise beside salt."""
    dip = math.tan(math.radians(random.normal(0, 10)))
    bend = random.uniform(0, 7) * clouds(random, x.shape, (120 * FINE, random.uniform(30, 80)))
    ripple = random.uniform(0, 1.0) * clouds(random, x.shape, (40 * FINE, 14))
    growth = 1 + random.uniform(-0.2, 0.2) * (x - SIZE / 2) / SIZE  # layers grow thicker to one side
    ages = growth * z + dip * (x - SIZE / 2) + bend + ripple
    for _ in range(random.choice(len(FAULTS), p=FAULTS)):
        slope, throw = random.choice([-1, 1]) * random.uniform(0.25, 0.9), random.uniform(3, 11)
        beyond = x - random.uniform(5, 96) - slope * (z - SIZE / 2)
        ages = ages + throw / (1 + np.exp(-np.clip(beyond / 0.5, -30, 30)))
    return np.asarray(ages + random.uniform(0, 12) * np.exp(np.clip(body, -1e3, 0) / random.uniform(8, 20)))


def _layers(random: np.random.Generator, ages: Floats) -> Floats:
    """Where the rock changes from one row to the next, of standard deviation 1; some zones are dim, some disturbed."""
    low, high = float(ages.min()), float(ages.max())
    edges = low + np.cumsum(0.6 + random.exponential(random.uniform(*LAYERS), int(high - low) + 50))
    hardness = np.clip(random.standard_t(6, len(edges) + 1), -3, 3)
    steps = np.arange(low, high + 1, 0.2)
    profile = gaussian_filter1d(hardness[np.searchsorted(edges, steps)], 1.5)
    rock = np.interp(ages, steps, profile)
    found = np.diff(rock, axis=0, append=rock[-1:])
    found /= found.std() + 1e-9
    found *= np.exp(random.uniform(0.1, 0.6) * clouds(random, found.shape, (25 * FINE, 45)))
    if random.random() < 0.15:  # a disturbed zone that is no salt
        share = np.clip(clouds(random, found.shape, (35 * FINE, 40)) - 0.7, 0, 0.6)
        found += share * (_chaos(random, found.shape) * random.uniform(0.5, 1) - found)
    return np.asarray(found)


def _chaos(random: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Reflectors without order: short, and leaning each way."""
    noise = gaussian_filter(random.standard_normal(shape), (0.7 * FINE, random.uniform(0.8, 2.0)))
    noise *= np.exp(0.45 * clouds(random, shape, (14 * FINE, 14)))
    return np.asarray(noise / noise.std())


def _mixed(random: np.random.Generator, layers: Floats, body: Floats) -> Floats:
    """Layers outside, chaos inside, and a strong reflector where they meet: its sign turns from top to base."""
    inside = 1 / (1 + np.exp(-np.clip(body / 0.5, -30, 30)))
    strength = random.uniform(*TOP) * (0.25 if random.random() < FAINT else 1)
    edge = np.diff(inside, axis=0, append=inside[-1:])
    edge = np.where(edge > 0, edge, edge * random.uniform(0.3, 0.9))  # the base is weaker
    edge *= np.exp(0.3 * clouds(random, edge.shape, (30 * FINE, 20)))
    chaos = random.uniform(*CHAOS) * _chaos(random, layers.shape)
    return np.asarray(layers * (1 - inside) + chaos * inside + 3.0 * strength * edge)


def _recorded(random: np.random.Generator, reflectivity: Floats, z: Floats) -> Floats:
    """What an instrument makes of it: a wavelet along depth, less of it farther down, blur across, and noise."""
    period = random.uniform(*PERIOD) * FINE
    across = gaussian_filter1d(reflectivity, random.uniform(0.4, 0.9), axis=1)
    hum = gaussian_filter1d(random.standard_normal(across.shape), 1.2, axis=1)
    across += random.uniform(0.05, 0.4) * across.std() * hum
    found = convolve1d(across, _ricker(period), axis=0, mode="nearest")
    found *= np.exp(-random.uniform(0, 0.9) * z / SIZE)
    found /= np.sqrt(uniform_filter(found**2, GAIN)) ** random.uniform(0.2, 0.7) + 1e-2
    found /= found[VIEW].std() + 1e-9
    return np.asarray(found + random.uniform(0.02, 0.12) * random.standard_normal(found.shape))


def _ricker(period: float) -> Floats:
    """The wavelet of unit energy, whose main lobe and its neighbours span about one period."""
    times = np.arange(-math.ceil(1.2 * period), math.ceil(1.2 * period) + 1) * math.pi / period
    found = (1 - 2 * times**2) * np.exp(-(times**2))
    return np.asarray(found / np.sqrt((found**2).sum()))


def _greys(random: np.random.Generator, section: Floats) -> NDArray[np.uint8]:
    """As greys: images differ in brightness and contrast."""
    slow: Any = random.uniform(0, 8) * clouds(random, section.shape, (60, 60))
    greys = random.normal(121, 12) + slow + random.uniform(20, 48) * section
    return np.asarray(np.clip(np.rint(greys), 0, 255), np.uint8)
