"""How one case is to be predicted."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch


@dataclass(frozen=True)
class Options:
    mirror: bool = True  # average over mirrored copies, along the axes that the training mirrored
    step: float = 0.5  # between neighbouring windows, as a share of the patch
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    limit: int = 0  # bytes that the process may hold in all; 0 means what its cgroup or machine has

    def __post_init__(self) -> None:
        if not 0 < self.step <= 1:
            raise ValueError(f"step must be above 0 and at most 1, not {self.step}")
