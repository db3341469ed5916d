"""A synthetic chest in HU: not a real one, but with what a network must see, or see past, in a real one.

Lengths are in mm of a chest a third of the natural size, so that a CT of few voxels keeps a spacing of 1 to 2 mm.
x grows to the patient's left, y to the back, z to the head.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

Floats = NDArray[np.floating[Any]]
Finding = Literal["none", "nodule", "dependent", "emphysema"]

EDGE = 0.7  # mm over which one tissue turns into another
HILUM = (8.0, 0.0, -2.0)  # x, y, z where the vessels of a lung begin; mirrored for the right one
LUNG_TOP = 36.0


@dataclass(frozen=True)
class Disease:
    """What is wrong with these lungs."""

    extent: float  # share of the lungs that ground-glass opacities take
    finding: Finding  # something that is not COVID


def chest(
    random: np.random.Generator, shape: tuple[int, int, int], spacing: tuple[float, float, float], disease: Disease
) -> NDArray[np.int16]:
    """The CT of one patient; everything that differs from one to the next comes from `random`."""
    z, y, x = _coordinates(random, shape, spacing)
    body, hu = _body(random, z, y, x)
    large = random.uniform(0.9, 1.1)
    heart = _inside(_norm((x - 8 + 0.25 * (z + 16)) / 17, (y + 9) / 13, (z + 16) / 18) / large, 14)
    spine = _inside(_norm(x / 7, (y - 19) / 7), 7)
    lungs = np.minimum(np.maximum(_lung(z, y, x, -1), _lung(z, y, x, 1)), np.minimum(-heart, -spine) - 1)
    lungs = np.minimum(lungs, body - 8)
    inside = _soft(lungs)
    air = random.uniform(-890, -840) + 30 * y / 26 + 0 * lungs  # the back of the lungs is denser
    sick = random.spawn(1)[0]  # so that the same patient can be had in health
    if disease.finding == "emphysema":
        air -= 110 * _soft((_clouds(sick, spacing, shape, 3.0) - 1.2) / 0.2 * EDGE)
    if disease.finding == "dependent":
        air += sick.uniform(120, 200) * np.exp(-np.maximum(lungs, 0) / 2.5) * _soft((y - 14) / 2)
    if disease.extent > 0:
        opacity = _opacity(sick, spacing, lungs, z, y, disease.extent)
        glass = sick.uniform(-560, -440) + 90 * _clouds(sick, spacing, shape, 2.0)
        air = _mix(air, np.clip(glass, -700, -300), opacity)
    hu = _mix(hu, air, inside)
    hu = _mix(hu, random.uniform(30, 60), inside * _vessels(random, lungs, (z, y, x)))
    if disease.finding == "nodule":
        hu = _mix(hu, 30, _nodule(sick, lungs, z, y, x))
    hu = _trachea(hu, z, y, x)
    hu = _mix(hu, random.uniform(40, 70), _soft(heart))
    hu = _bones(random, hu, spine, body, z, y, x)
    hu = gaussian_filter(hu, 0.5)
    hu += random.uniform(18, 32) * gaussian_filter(random.standard_normal(shape, np.float32), 0.5) / 0.45
    voxels: NDArray[np.int16] = np.clip(np.rint(hu), -1024, 1500).astype(np.int16)
    return voxels


def _coordinates(
    random: np.random.Generator, shape: tuple[int, int, int], spacing: tuple[float, float, float]
) -> list[Floats]:
    """Where each voxel lies in a chest that is a little larger or smaller, and not quite in the middle."""
    scale = random.uniform(0.94, 1.06)
    moved = random.uniform(-3, 3, 3)
    axes = np.ogrid[: shape[0], : shape[1], : shape[2]]
    return [
        (((axis - (length - 1) / 2) * step - shift) / scale).astype(np.float32)
        for axis, length, step, shift in zip(axes, shape, spacing, moved, strict=True)
    ]


def _soft(distance: Floats) -> Floats:
    """0 to 1 as a surface is crossed from outside (negative) to inside."""
    return np.asarray(1 / (1 + np.exp(np.clip(-distance / EDGE, -30, 30))), np.float32)


def _mix(below: Floats, above: Floats | float, share: Floats) -> Floats:
    return (below + (np.asarray(above, np.float32) - below) * share).astype(np.float32)


def _norm(*parts: Floats, power: float = 2.0) -> Floats:
    total = sum(np.abs(part) ** power for part in parts)
    return np.asarray(total, np.float32) ** np.float32(1 / power)


def _inside(norm: Floats, radius: float) -> Floats:
    """About how many mm within the shape whose surface has the norm 1."""
    return (1 - norm) * np.float32(radius)


def _clouds(
    random: np.random.Generator, spacing: tuple[float, float, float], shape: tuple[int, ...], size: float
) -> Floats:
    """Smooth noise of standard deviation 1, whose clouds are about `size` mm wide."""
    noise = gaussian_filter(random.standard_normal(shape, np.float32), [size / step for step in spacing])
    return np.asarray(noise / noise.std(), np.float32)


def _body(random: np.random.Generator, z: Floats, y: Floats, x: Floats) -> tuple[Floats, Floats]:
    """The distance below the skin, and fat and muscle in HU."""
    wide = 48 * (1 + 0.08 * _soft((z - 30) / 8))
    depth = _inside(_norm(x / wide, y / 34, power=2.4), 36)
    hu = _mix(np.full(depth.shape, -1000, np.float32), random.uniform(-110, -80), _soft(depth))
    return depth, _mix(hu, random.uniform(35, 55), _soft(depth - random.uniform(2.5, 4.5)))


def _lung(z: Floats, y: Floats, x: Floats, side: int) -> Floats:
    """Narrow at the top, and hollow below, where the diaphragm's dome stands higher on the right (the liver)."""
    height = np.clip((z + LUNG_TOP) / (2 * LUNG_TOP), 0, 1)
    wide = np.sqrt(1 - 0.88 * height**2.4)
    across = x - side * 21
    wall = _inside(_norm(across / (18 * wide), y / (26 * wide), power=2.3), 18) * wide
    dome = (-22 if side < 0 else -25) - 9 * ((across / 20) ** 2 + ((y + 6) / 24) ** 2)
    inside: Floats = np.minimum.reduce(np.broadcast_arrays(wall, z - dome, LUNG_TOP - z, side * x - 4))
    return inside


def _opacity(
    random: np.random.Generator, spacing: tuple[float, float, float], lungs: Floats, z: Floats, y: Floats, extent: float
) -> Floats:
    """Ground glass in `extent` of the lungs' volume: at the rim, at the base and at the back first, in patches."""
    score = 0.8 * _clouds(random, spacing, lungs.shape, 4.0) + 1.4 * np.exp(-np.maximum(lungs, 0) / 5)
    score += 0.7 * _soft(-(z + 4) / 12) + 0.5 * _soft((y - 2) / 8)
    edge = np.quantile(score[lungs > 0], 1 - extent)
    return _soft((score - np.float32(edge)) / 0.12 * EDGE)


def _vessels(
    random: np.random.Generator,
    lungs: Floats,
    axes: tuple[Floats, Floats, Floats],
) -> Floats:
    """Two trees that branch from the hila and thin out; drawn where a branch is nearer than its radius."""
    points, radii = [], []
    for side in (-1, 1):
        start = np.tile(np.array(HILUM) * (side, 1, 1), (7, 1))
        way = random.standard_normal((7, 3)) * (0.5, 1.0, 1.2) + (side * 0.9, 0, -0.1)
        for generation in range(5):
            way /= np.linalg.norm(way, axis=1, keepdims=True)
            length = 11 * 0.8**generation
            steps = np.linspace(0, length, 9)[:, None, None]
            points.append((start + way * steps).reshape(-1, 3))
            radii.append(np.full(len(points[-1]), 1.9 * 0.68**generation))
            start = np.repeat(start + way * length, 2, axis=0)
            way = np.repeat(way, 2, axis=0) + 0.55 * random.standard_normal((len(start), 3))
    where = np.nonzero(lungs > -1)
    z, y, x = (axis.ravel()[index] for axis, index in zip(axes, where, strict=True))
    tree = cKDTree(np.concatenate(points))
    distance, nearest = tree.query(np.stack([x, y, z], 1), distance_upper_bound=4.0)
    radius = np.append(np.concatenate(radii), 0.0)[nearest]
    drawn = np.zeros(lungs.shape, np.float32)
    drawn[where] = _soft(np.asarray(radius - np.minimum(distance, 9.0), np.float32))
    return drawn


def _nodule(random: np.random.Generator, lungs: Floats, z: Floats, y: Floats, x: Floats) -> Floats:
    """One ball of 5 to 8 mm, well within a lung."""
    z0, y0, x0 = np.argwhere(lungs > 5)[random.integers(np.count_nonzero(lungs > 5))]
    radius = random.uniform(2.5, 4.0)
    return _soft(_inside(_norm(x - x[0, 0, x0], y - y[0, y0, 0], z - z[z0, 0, 0]) / radius, radius))


def _trachea(hu: Floats, z: Floats, y: Floats, x: Floats) -> Floats:
    """Air in the windpipe, which parts above the heart."""
    apart = np.clip(6 - z, 0, 14)  # how far below the parting
    tube = 2.6 - _norm(np.abs(x) - 0.8 * apart, y - 1)
    return _mix(hu, -980, _soft(np.minimum(tube - 0.08 * apart, z + 7)))


def _bones(
    random: np.random.Generator, hu: Floats, spine: Floats, body: Floats, z: Floats, y: Floats, x: Floats
) -> Floats:
    """Vertebrae with discs between them, ribs that slope forward, and the breastbone."""
    dense = random.uniform(220, 380)
    phase = random.uniform(0, 2 * np.pi)
    vertebra = 0.5 + 0.5 * np.tanh(3 * (np.cos(2 * np.pi * z / 9 + phase) + 0.6))
    hu = _mix(hu, 80 + (dense - 130) * vertebra, _soft(spine))
    hu = _mix(hu, dense, _soft(np.minimum(2.2 - np.abs(x), 4.5 - np.abs(y - 29)) - 3 * (1 - vertebra)))
    hu = _mix(hu, 30, _soft(2.4 - _norm(x, y - 25)))
    slope = 2 * np.pi * (z + 0.55 * y) / 11 + phase
    rib = np.minimum(1.7 - np.abs(body - 7.5), 2.0 * (np.cos(slope) - 0.35))
    hu = _mix(hu, dense + 120, _soft(np.minimum(rib, np.minimum(np.abs(x) - 6, z + 40))))
    return _mix(hu, dense, _soft(np.minimum(1.8 - np.abs(body - 7), np.minimum(5 - np.abs(x), -y)) + 0 * z))
