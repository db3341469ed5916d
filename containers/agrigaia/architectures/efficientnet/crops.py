"""The labelled pieces of a part of the data set, cut out of their pictures once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pixels import Box, Frames, square, upright
from torch import Tensor

MARGIN = 1.2  # what is seen around a box, as a share of its longer side


@dataclass(frozen=True)
class Crops:
    classes: tuple[str, ...]
    frames: Frames
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


def load(images: Path, labels: Path, part: str, size: int) -> Crops:
    """What `setup.py` wrote for a part, train or val."""
    content = read(labels / part / "labels.json")
    classes = {category["id"]: category["name"] for category in content["categories"]}
    places = {number: place for place, number in enumerate(sorted(classes))}
    wanted: dict[int, list[dict[str, Any]]] = {}
    for annotation in content["annotations"]:
        wanted.setdefault(annotation["image_id"], []).append(annotation)
    frames = Frames(len(content["annotations"]), size)
    found: list[int] = []
    for image in content["images"]:
        annotations = wanted.get(image["id"], [])
        picture = upright(images / part / image["file_name"])
        for annotation in annotations:
            frames.put(len(found), square(picture, seen(annotation["bbox"], *picture.size), size))
            found.append(places[annotation["category_id"]])
    return Crops(tuple(classes[number] for number in sorted(classes)), frames, torch.tensor(found, dtype=torch.long))


def read(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SystemExit(f"error: {path} cannot be read ({reason}); let setup.py write it") from None
    return content


def seen(bbox: list[float], width: int, height: int) -> Box:
    """The box with some of what is around it, and no more than the picture's longer side."""
    left, top, across, down = bbox
    side = min(max(across, down) * MARGIN, float(max(width, height)))
    x, y = left + across / 2, top + down / 2
    return x - side / 2, y - side / 2, x + side / 2, y + side / 2
