"""Boxes as left, top, right, bottom: how much two of them share, and which of many say the same."""

from __future__ import annotations

import torch
from torch import Tensor


def iou(one: Tensor, other: Tensor) -> Tensor:
    """Of each box of `one` with each of `other`: (n, m)."""
    shared = _area(torch.maximum(one[:, None, :2], other[:, :2]), torch.minimum(one[:, None, 2:], other[:, 2:]))
    return shared / (area(one)[:, None] + area(other) - shared).clamp(min=1e-9)


def giou(one: Tensor, other: Tensor) -> Tensor:
    """Of pairs: the IoU less the share of the box around both that neither fills; from -1 to 1."""
    shared = _area(torch.maximum(one[:, :2], other[:, :2]), torch.minimum(one[:, 2:], other[:, 2:]))
    union = (area(one) + area(other) - shared).clamp(min=1e-9)
    around = _area(torch.minimum(one[:, :2], other[:, :2]), torch.maximum(one[:, 2:], other[:, 2:])).clamp(min=1e-9)
    return shared / union - (around - union) / around


def area(boxes: Tensor) -> Tensor:
    return _area(boxes[..., :2], boxes[..., 2:])


def _area(low: Tensor, high: Tensor) -> Tensor:
    sides = (high - low).clamp(min=0)
    return sides[..., 0] * sides[..., 1]


def kept(boxes: Tensor, scores: Tensor, labels: Tensor, overlap: float) -> Tensor:
    """Indices of the boxes that no better one of their label covers by more than `overlap`, the best first."""
    order = scores.argsort(descending=True, stable=True)
    covers = (iou(boxes[order], boxes[order]) > overlap) & (labels[order][:, None] == labels[order])
    open_, found = torch.ones(len(order), dtype=torch.bool), []
    for place in range(len(order)):
        if open_[place]:
            found.append(place)
            open_ &= ~covers[place]
    return order[found]
