"""How sure a share of so many images is."""

from __future__ import annotations

import math

NORMAL = 1.959963984540054  # of the normal distribution, 95 % lie within so many standard deviations


def wilson(right: int, total: int) -> tuple[float, float] | tuple[None, None]:
    """Wilson's interval of 95 % for a share, which holds for few cases and near 0 and 1, too."""
    if not total:
        return None, None
    share, square = right / total, NORMAL**2
    middle = (share + square / (2 * total)) / (1 + square / total)
    width = NORMAL / (1 + square / total) * math.sqrt(share * (1 - share) / total + square / (4 * total**2))
    return max(0.0, middle - width), min(1.0, middle + width)
