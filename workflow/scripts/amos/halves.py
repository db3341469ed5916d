"""Half-size numbers on a CPU that multiplies matrices of them: convolutions take a fraction of their time.

nnU-Net uses them on GPUs only. The loss and the weights stay in single precision.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


def compute_in_halves(network: nn.Module) -> None:
    """Let the network's convolutions compute in bfloat16 from now on; its answers are of single precision as before."""
    plain = network.forward

    def forward(*images: Any) -> Any:
        with torch.autocast("cpu", torch.bfloat16):
            answers = plain(*images)
        return [one.float() for one in answers] if isinstance(answers, list | tuple) else answers.float()

    network.forward = forward
