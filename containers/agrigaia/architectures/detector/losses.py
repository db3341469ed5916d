"""What a detector learns from: which points answer for which box, and how far off their answers are.

A box is answered for by the points in it whose answers fit it best already, in score and place; the better a point's
answer fits, the higher the score that it is to give. So scores come to say how good boxes are.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from boxes import giou, iou
from torch import Tensor
from torch.nn import functional as F

TOP = 10  # points a box, at most
SCORE_POWER, IOU_POWER = 0.5, 4.0
BOX_WEIGHT = 2.0

Truth = tuple[Tensor, Tensor]  # boxes and labels of one picture


def loss_of(scores: Tensor, boxes: Tensor, points: Tensor, truth: Sequence[Truth]) -> Tensor:
    """Of what `Detector.raw` gives for as many pictures."""
    targets = torch.zeros_like(scores)
    places: list[Tensor] = []
    for picture, (true, labels) in enumerate(truth):
        place = torch.zeros_like(points[:0])
        if len(true):
            with torch.no_grad():
                answering, which, worth = assigned(scores[picture].sigmoid(), boxes[picture], points, true, labels)
            targets[picture, answering, labels[which]] = worth
            off = 1 - giou(boxes[picture, answering], true[which])
            place = off * worth
        places.append(place.sum())
    total = targets.sum().clamp(min=1.0)
    scored = F.binary_cross_entropy_with_logits(scores, targets, reduction="sum")
    return (scored + BOX_WEIGHT * torch.stack(places).sum()) / total


def assigned(
    scores: Tensor, boxes: Tensor, points: Tensor, true: Tensor, labels: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The points that answer, the box that each answers for, and the score that it is to give."""
    inside = torch.cat([points[None] - true[:, None, :2], true[:, None, 2:] - points[None]], 2).amin(2) > 0
    bare = ~inside.any(1)
    if bare.any():  # so small that it lies between points: the nearest one
        middles = (true[bare, :2] + true[bare, 2:]) / 2
        inside[bare.nonzero()[:, 0], torch.cdist(middles, points).argmin(1)] = True
    overlap = iou(true, boxes).clamp(min=1e-4)
    fit = scores[:, labels].T.clamp(min=1e-6) ** SCORE_POWER * overlap**IOU_POWER * inside
    best = fit.topk(min(TOP, len(points)), dim=1)
    chosen = torch.zeros_like(inside).scatter_(1, best.indices, best.values > 0)
    which = torch.where(chosen, overlap, -1.0).argmax(0)  # a point in two boxes answers for that which it fits
    answering = chosen.any(0).nonzero()[:, 0]
    which = which[answering]
    own = torch.zeros_like(chosen)
    own[which, answering] = True
    most_fit = (fit * own).amax(1).clamp(min=1e-12)
    most_overlap = (overlap * own).amax(1)
    worth = fit[which, answering] / most_fit[which] * most_overlap[which]
    return answering, which, worth
