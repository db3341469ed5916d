"""Where the voxels of two volumes lie to each other."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np


def apart(shape: tuple[int, ...], one: Any, other: Any) -> float:
    """How far, in mm, the two affines put the same voxel from each other at most: that is at one of the corners."""
    corners = np.array([(*corner, 1.0) for corner in product(*((0.0, side - 1.0) for side in shape))])
    return float(np.linalg.norm(corners @ (one - other).T, axis=1).max())
