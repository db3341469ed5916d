"""The platform's name for what annotated.py does. The platform may put a file of its own here, so that nothing of ours
imports this one."""

from __future__ import annotations

from annotated import CvatDataset, get_cvat_dataset

__all__ = ["CvatDataset", "get_cvat_dataset"]
