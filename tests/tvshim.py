"""Let torchvision, and timm with it, be imported beside a torch for the CPU, for tests of networks that are theirs.

torchvision's library for CUDA cannot be loaded there, so two operators that its Python code speaks of are unknown.
They are declared here and never called: no classifier needs them. Where torchvision works, nothing is done. It changes
the process it runs in, so tests call it in one of their own.
"""

from __future__ import annotations

import importlib
import sys

import torch

OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_kept: list[torch.library.Library] = []  # an operator goes with the object that declared it


def install() -> bool:
    """Whether it was needed."""
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
    else:
        return False
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "FRAGMENT")
    for operator in OPERATORS:
        library.define(operator)
    _kept.append(library)
    importlib.import_module("torchvision")
    return True
