"""What the synthetic abdomen is made of: balls and tubes, as depths in mm below their surfaces, and soft edges.

A frame is x, y and z of every voxel in mm; they grow to the patient's right, to the front and to the head (RAS).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

Floats = NDArray[np.floating[Any]]
Frame = tuple[Floats, Floats, Floats]
Point = tuple[float, float, float]

EDGE = 0.8  # mm over which one tissue turns into another
FAR = -20.0  # depth of what is farther than this outside a tube


def soft(depth: Floats) -> Floats:
    """0 to 1 as a surface is crossed from outside (negative) to inside."""
    return np.asarray(1 / (1 + np.exp(np.clip(-depth / EDGE, -30, 30))), np.float32)


def mix(below: Floats, above: Floats | float, share: Floats) -> Floats:
    return (below + (np.asarray(above, np.float32) - below) * share).astype(np.float32)


def clouds(random: np.random.Generator, shape: tuple[int, ...], voxels: Sequence[float]) -> Floats:
    """Smooth noise of mean 0 and standard deviation 1, whose clouds are about so many voxels wide."""
    noise = gaussian_filter(random.standard_normal(shape, np.float32), voxels, mode="wrap")
    return np.asarray((noise - noise.mean()) / noise.std(), np.float32)


def ellipse(across: Floats, along: Floats, axes: tuple[float, float], power: float = 2.0) -> Floats:
    """The depth below an elliptic cylinder's surface."""
    norm = (np.abs(across / axes[0]) ** power + np.abs(along / axes[1]) ** power) ** np.float32(1 / power)
    return np.asarray((1 - norm) * min(axes), np.float32)


def ball(frame: Frame, centre: Point, axes: Point, turned: Point = (0, 0, 0)) -> Floats:
    """The depth below an ellipsoid's surface; `turned` is in degrees about x, y and z."""
    rotation = _rotation(turned)
    moved = [axis - np.float32(place) for axis, place in zip(frame, centre, strict=True)]
    square = np.zeros(frame[0].shape, np.float32)
    for row, axis in zip(rotation, axes, strict=True):
        along = sum(part * np.float32(share) for part, share in zip(moved, row, strict=True))
        square += (along / np.float32(axis)) ** 2
    return np.asarray((1 - np.sqrt(square)) * min(axes), np.float32)


def tube(frame: Frame, points: Sequence[Point], radius: float) -> Floats:
    """The depth below the surface of a tube of this radius along a smooth curve through `points`."""
    knots = np.array(points, float)
    order = min(3, len(knots) - 1)
    curve = make_interp_spline(np.linspace(0, 1, len(knots)), knots, k=order)(np.linspace(0, 1, 60))
    reach = radius - FAR
    near = np.ones(frame[0].shape, bool)
    for axis, low, high in zip(frame, curve.min(0) - reach, curve.max(0) + reach, strict=True):
        near &= (axis > low) & (axis < high)
    distance, _ = cKDTree(curve).query(np.stack([axis[near] for axis in frame], 1), distance_upper_bound=reach)
    depth = np.full(frame[0].shape, FAR, np.float32)
    depth[near] = radius - np.minimum(distance, reach)
    return depth


def _rotation(turned: Point) -> NDArray[np.float64]:
    found = np.eye(3)
    for axis, degrees in enumerate(turned):
        sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
        step = np.eye(3)
        first, second = (axis + 1) % 3, (axis + 2) % 3
        step[[first, first, second, second], [first, second, first, second]] = cosine, -sine, sine, cosine
        found = step @ found
    return found
