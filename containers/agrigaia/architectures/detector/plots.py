"""The pictures of a part of the data set and the boxes on them, as setup.py left them in YOLO's form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import yaml
from boxes import area
from losses import Truth
from pixels import Frames, square, upright
from torch import Tensor

LEAST_SEEN, LEAST_SIDE = 0.3, 2.0  # share of a moved box that must be in the picture, and its pixels


@dataclass(frozen=True)
class Plots:
    frames: Frames
    truth: list[Truth]  # in pixels of the frames
    files: tuple[str, ...]  # below the part's folder
    sizes: tuple[tuple[int, int], ...]  # of the pictures, which lie in the middle of their frames

    def __len__(self) -> int:
        return len(self.truth)


def class_names(data: Path) -> list[str]:
    """From dataset.yaml."""
    try:
        names: dict[int, str] = yaml.safe_load(data.read_text(encoding="utf-8"))["names"]
        return [str(names[number]) for number in range(len(names))]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise SystemExit(f"error: {data} tells no names of classes ({error}); let setup.py write it") from None


def load(images: Path, labels: Path, part: str, size: int, classes: int) -> Plots:
    root = images / part
    files = sorted(path for path in root.rglob("*") if path.is_file()) if root.is_dir() else []
    frames, truth, sizes = Frames(len(files), size), [], []
    for number, file in enumerate(files):
        picture = upright(file)
        wide, tall = picture.size
        sizes.append((wide, tall))
        frames.put(number, square(picture, (0, 0, wide, tall), size))
        told = (labels / part / file.relative_to(root)).with_suffix(".txt")
        boxes, numbers = _read(told, classes)
        side = max(wide, tall)
        whole = torch.tensor([wide, tall], dtype=torch.float64)
        middles = (boxes[:, :2] - 0.5) * whole / side + 0.5  # the picture lies in the middle of the square
        halves = boxes[:, 2:] * whole / side / 2
        truth.append(((torch.cat([middles - halves, middles + halves], 1) * size).float(), numbers))
    return Plots(frames, truth, tuple(file.relative_to(root).as_posix() for file in files), tuple(sizes))


def _read(path: Path, classes: int) -> tuple[Tensor, Tensor]:
    """Centre, width and height as shares of the picture; and the labels."""
    rows = []
    if path.is_file():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            words = line.split()
            try:
                label, *shares = int(words[0]), *map(float, words[1:])
            except (ValueError, IndexError):
                label, shares = -1, []
            if len(shares) != 4 or not 0 <= label < classes:
                raise SystemExit(f"error: {path}, line {number} is not 'class x y width height'; let setup.py write it")
            rows.append([label, *shares])
    values = torch.tensor(rows, dtype=torch.float64).reshape(-1, 5)
    return values[:, 1:], values[:, 0].long()


def in_picture(boxes: Tensor, size: tuple[int, int], frame: int) -> list[list[float]]:
    """Boxes in a frame of so many pixels, where they are in its picture."""
    wide, tall = size
    side = max(wide, tall)
    margins = torch.tensor([side - wide, side - tall], dtype=torch.float64).repeat(2) / 2
    found: list[list[float]] = (boxes.double().cpu() * (side / frame) - margins).round(decimals=1).tolist()
    return found


def seen(truth: Truth, size: int) -> Truth:
    """What of moved boxes is in the picture."""
    boxes, labels = truth
    cut = boxes.clamp(0, size)
    sides = cut[:, 2:] - cut[:, :2]
    stay = (area(cut) >= LEAST_SEEN * area(boxes)) & (sides.amin(1) >= LEAST_SIDE) if len(cut) else labels > -1
    return cut[stay], labels[stay]


def on(truth: Sequence[Truth], device: torch.device) -> list[Truth]:
    return [(boxes.to(device), labels.to(device)) for boxes, labels in truth]
