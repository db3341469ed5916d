"""Mixed precision: half-size numbers where the GPU is fast with them; on a CPU only where bf16 is asked for."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

import torch
from torch import Tensor

Amp = Literal["auto", "off", "bf16", "fp16"]
DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Precision:
    """Autocast and, for fp16, the scaling of the loss that keeps small gradients above zero."""

    def __init__(self, amp: Amp, device: torch.device) -> None:
        self.device = device
        self.dtype = choose(amp, device)
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.dtype is torch.float16)

    def autocast(self) -> AbstractContextManager[Any]:
        return torch.autocast(self.device.type, dtype=self.dtype) if self.dtype else nullcontext()

    def step(self, loss: Tensor, optimizer: torch.optim.Optimizer) -> None:
        """One step of the optimizer down the gradient of `loss`."""
        optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.step(optimizer)
        self.scaler.update()


def choose(amp: Amp, device: torch.device) -> torch.dtype | None:
    """bf16 needs no scaling, so it is preferred on GPUs that have it; None is full precision."""
    if amp == "off" or (device.type != "cuda" and amp != "bf16"):
        return None
    if amp == "auto":
        amp = "bf16" if torch.cuda.get_device_capability(device) >= (8, 0) else "fp16"
    return DTYPES[amp]
