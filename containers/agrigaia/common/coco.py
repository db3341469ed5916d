"""Annotations as COCO has them, in a form that pycocotools loads: flat outlines, areas, iscrowd."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cvat_xml import DataError, Picture, Shape, area, bounds, corners

WANTED = {"segmentation": "polygon", "detection": "box", "classification": "box", "tags": "tag"}


def as_coco(label_names: Sequence[str], pictures: Sequence[tuple[str, Picture]], dataset_type: str) -> dict[str, Any]:
    """`pictures` are annotated pictures by their files' names; those without a shape of the wanted kind are left out.

    Categories and images are numbered from 1, in the order that they are given in.
    """
    if dataset_type not in WANTED:
        raise DataError(f"'{dataset_type}' is no type of a data set; choose one of {', '.join(WANTED)}")
    numbers = {name: number for number, name in enumerate(label_names, 1)}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for file, picture in pictures:
        shapes = [shape for shape in picture.of(WANTED[dataset_type]) if shape.label in numbers]
        if not shapes:
            continue
        image = len(images) + 1
        images.append({"id": image, "file_name": file, "width": picture.width, "height": picture.height})
        for shape in shapes:
            entry = {"id": len(annotations) + 1, "image_id": image, "category_id": numbers[shape.label]}
            annotations.append({**entry, **_form(shape, picture)})
    categories = [{"id": number, "name": name} for name, number in numbers.items()]
    return {"categories": categories, "images": images, "annotations": annotations}


def _form(shape: Shape, picture: Picture) -> dict[str, Any]:
    """A box has its corners as its outline, as pycocotools gives it to boxes; a tag is of the whole picture."""
    outline = shape.points
    if shape.kind == "tag":
        outline = ((0.0, 0.0), (float(picture.width), float(picture.height)))
    if shape.kind in ("box", "tag"):
        outline = corners(outline)
    left, top, right, bottom = bounds(outline)
    box = [left, top, right - left, bottom - top]
    return {"bbox": box, "area": area(outline), "segmentation": [list(_flat(outline))], "iscrowd": 0}


def _flat(points: Sequence[tuple[float, float]]) -> Iterator[float]:
    for x, y in points:
        yield from (x, y)
