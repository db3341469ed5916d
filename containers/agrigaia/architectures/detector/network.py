"""A detector without anchors: an EfficientNet, a pyramid of features on it, and one head for all of its levels."""

from __future__ import annotations

import math

import torch
from boxes import kept
from efficientnet import PYRAMID, EfficientNet
from torch import Tensor, nn
from torch.nn import functional as F

WIDTH = 64  # channels of the pyramid
TOWER = 2  # convolutions before each answer
PRIOR = 0.01  # what a score is before anything is learnt
STRIDES = tuple(PYRAMID.values())
CANDIDATES, ANSWERS = 1000, 100  # a picture; before and after those that say the same are taken out
LEAST, OVERLAP = 0.01, 0.6


class Detector(nn.Module):
    """From pictures whose sides are multiples of 32 to (count, 4 + classes, points), as YOLO's exports have it.

    The first four are a box's centre, width and height in pixels, the others the scores of the classes, from 0 to 1.
    Boxes that say the same are in it; `answers` takes them out.
    """

    def __init__(self, name: str, classes: int) -> None:
        super().__init__()
        self.backbone = EfficientNet(name, 1)
        del self.backbone.head, self.backbone.classifier
        channels = [self.backbone.channels[stage] for stage in PYRAMID]
        self.across = nn.ModuleList(nn.Conv2d(source, WIDTH, 1) for source in channels)
        self.smooth = nn.ModuleList(_layer() for _ in channels)
        self.score_tower = nn.Sequential(*(_layer() for _ in range(TOWER)))
        self.box_tower = nn.Sequential(*(_layer() for _ in range(TOWER)))
        self.score, self.box = nn.Conv2d(WIDTH, classes, 3, padding=1), nn.Conv2d(WIDTH, 4, 3, padding=1)
        nn.init.normal_(self.score.weight, std=0.01)
        nn.init.constant_(self.score.bias, -math.log((1 - PRIOR) / PRIOR))  # type: ignore[arg-type]
        nn.init.normal_(self.box.weight, std=0.01)
        nn.init.constant_(self.box.bias, 0.5)  # type: ignore[arg-type]

    def forward(self, pixels: Tensor) -> Tensor:
        scores, boxes, _ = self.raw(pixels)
        low, high = boxes[..., :2], boxes[..., 2:]
        return torch.cat([(low + high) / 2, high - low, scores.sigmoid()], 2).transpose(1, 2)

    def raw(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Scores before their sigmoid (count, points, classes), boxes (count, points, 4), points (points, 2)."""
        scores, boxes, points = [], [], []
        for features, stride in zip(self._pyramid(pixels), STRIDES, strict=True):
            tall, wide = features.shape[-2], features.shape[-1]
            y, x = torch.arange(tall, device=features.device), torch.arange(wide, device=features.device)
            places = torch.stack([x.expand(tall, wide), y[:, None].expand(tall, wide)], 2).reshape(-1, 2)
            middle = (places + 0.5) * stride
            reach = _flat(F.softplus(self.box(self.box_tower(features)).float())) * (2 * stride)
            scores.append(_flat(self.score(self.score_tower(features)).float()))
            boxes.append(torch.cat([middle - reach[..., :2], middle + reach[..., 2:]], 2))
            points.append(middle)
        return torch.cat(scores, 1), torch.cat(boxes, 1), torch.cat(points)

    def _pyramid(self, pixels: Tensor) -> list[Tensor]:
        """Features of all strides, the fine ones first; each has what the coarser ones know."""
        values = self.backbone.stem(self.backbone.pixels(pixels))
        levels = []
        for place, stage in enumerate(self.backbone.stages):
            values = stage(values)
            if place in PYRAMID:
                levels.append(values)
        levels = [across(level) for across, level in zip(self.across, levels, strict=True)]
        for place in range(len(levels) - 2, -1, -1):
            levels[place] = levels[place] + F.interpolate(levels[place + 1], scale_factor=2.0, mode="nearest")
        return [smooth(level) for smooth, level in zip(self.smooth, levels, strict=True)]


def answers(scores: Tensor, boxes: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Of one picture: boxes, scores and labels that are to be told, the best first."""
    best, places = scores.flatten().topk(min(CANDIDATES, scores.numel()))
    places = places[best > LEAST]
    best = best[: len(places)]
    found, labels = boxes[places // scores.shape[1]].clamp(0, size), places % scores.shape[1]
    chosen = kept(found, best, labels, OVERLAP)[:ANSWERS]
    return found[chosen], best[chosen], labels[chosen]


def _layer() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(WIDTH, WIDTH, 3, padding=1, bias=False), nn.GroupNorm(8, WIDTH), nn.SiLU(inplace=True)
    )


def _flat(values: Tensor) -> Tensor:
    """From (count, channels, tall, wide) to (count, points, channels)."""
    return values.flatten(2).transpose(1, 2)
