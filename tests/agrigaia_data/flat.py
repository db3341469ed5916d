"""The modules of containers/agrigaia/common, by the plain names that they have inside the platform's image."""

from __future__ import annotations

import sys
from pathlib import Path

COMMON = Path(__file__).parents[2] / "containers" / "agrigaia" / "common"
if str(COMMON) not in sys.path:
    sys.path.append(str(COMMON))
