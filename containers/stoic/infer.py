"""From images to probabilities: the same lines judge the folds and answer in the predict container."""

from __future__ import annotations

import torch
from torch import Tensor, nn

LEFT_RIGHT = 4  # the axis x of (B, 1, Z, Y, X)


@torch.no_grad()
def probabilities(model: nn.Module, images: Tensor, people: Tensor, flip: bool) -> Tensor:
    """(B, 2) in double precision: the sigmoid of a large logit must not become one, or the order of cases is lost."""
    views = [images, images.flip(LEFT_RIGHT)] if flip else [images]
    answers = [torch.sigmoid(model(view, people).double()) for view in views]
    return torch.stack(answers).mean(dim=0)
