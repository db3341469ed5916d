"""Boxes as YOLO has them: a line a box with the label's number and centre and size as shares of the picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import yaml
from cvat_xml import Picture, bounds

DIGITS = 8  # so that boxes in hundredths of a pixel, as CVAT has them, come back from any picture


def lines(label_names: Sequence[str], picture: Picture) -> list[str]:
    """Labels are numbered from 0; boxes with others are left out."""
    numbers = {name: number for number, name in enumerate(label_names)}
    found = []
    for shape in picture.of("box"):
        if shape.label in numbers:
            left, top, right, bottom = bounds(shape.points)
            shares = (
                (left + right) / 2 / picture.width,
                (top + bottom) / 2 / picture.height,
                (right - left) / picture.width,
                (bottom - top) / picture.height,
            )
            found.append(" ".join([str(numbers[shape.label]), *(f"{share:.{DIGITS}f}" for share in shares)]))
    return found


def write_labels(folder: Path, labels: Mapping[str, Sequence[str]]) -> None:
    """A file for each picture, named like it, in the same folders; without boxes there is none."""
    for name, content in labels.items():
        if content:
            path = folder / PurePosixPath(name).with_suffix(".txt")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(f"{line}\n" for line in content), encoding="utf-8")


def write_data(path: Path, root: Path, label_names: Sequence[str]) -> None:
    """The file that tells a YOLO program where pictures lie, and what the labels are called."""
    content = {"path": str(root), "train": "images/train", "val": "images/val", "nc": len(label_names)}
    names = dict(enumerate(label_names))
    path.write_text(yaml.safe_dump({**content, "names": names}, sort_keys=False, allow_unicode=True), encoding="utf-8")
