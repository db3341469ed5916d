"""Turn a data set with COCO's labels into one as the platform has it: pictures and CVAT's annotations.

    python -m workflow.scripts.agrigaia.coco_to_cvat --labels coco/instances_train.json coco/instances_val.json \\
        --images coco/images --output minio/datasets/2

Objects with an outline become a box and polygons, unless --shapes says otherwise. Pictures are linked, not copied,
where the disk allows it.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from containers.agrigaia.common.cvat_xml import Picture, Point, Shape, bounds, corners
from containers.agrigaia.common.pictures import find, match, odd_sizes
from containers.kit.errors import UserError, reports_errors
from workflow.scripts.agrigaia.convert import Arrived, finish, options, shapes, upright

PARTS = ("images", "annotations", "categories")
NEAR = 1e-3  # pixels between points that are the same one


@dataclass
class _Content:
    """Of all files with labels together."""

    labels: set[str] = field(default_factory=set)
    pictures: dict[str, Picture] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)


def read(files: Sequence[Path], images: Path, wanted: str) -> Arrived:
    """Labels of some files, of pictures below one folder."""
    if not images.is_dir():
        raise UserError(f"--images {images} is not a folder; name the one with the pictures")
    there, complaints = find(images, links=True)
    names = {path.relative_to(images).as_posix(): path for path in there}
    content = _Content(complaints=complaints)
    for path in files:
        _add(content, path, wanted)
    matched, missing = match(list(content.pictures), list(names))
    content.complaints += missing
    pictures = {names[matched[name]]: one for name, one in content.pictures.items() if name in matched}
    pictures = {path: sized for path, one in pictures.items() if (sized := _sized(path, one, content.complaints))}
    odd = odd_sizes({path: (one.width, one.height) for path, one in pictures.items()})
    content.complaints += odd.values()
    known = {path: one for path, one in sorted(pictures.items()) if path not in odd}
    return Arrived(tuple(sorted(content.labels)), known, tuple(content.complaints))


def _sized(path: Path, picture: Picture, complaints: list[str]) -> Picture | None:
    """Not every program writes the pictures' sizes."""
    if picture.width and picture.height:
        return picture
    size = upright(path, complaints)
    return replace(picture, width=size[0], height=size[1]) if size else None


def _add(content: _Content, path: Path, wanted: str) -> None:
    parts = _parts(path)
    labels = {entry.get("id"): str(entry.get("name", "")).strip() for entry in parts["categories"]}
    if not all(labels.values()):
        raise UserError(f"{path} has a category without a name; name it")
    content.labels.update(labels.values())
    of_image: dict[Any, list[Shape]] = {}
    known = {entry.get("id") for entry in parts["images"]}
    for entry in parts["annotations"]:
        where = f"{path}: annotation {entry.get('id')}"
        if entry.get("image_id") not in known or entry.get("category_id") not in labels:
            content.complaints.append(f"{where} is of an image or a category that is not there; it is left out")
            continue
        found = _object(entry, labels[entry["category_id"]], wanted)
        if isinstance(found, str):
            content.complaints.append(f"{where} {found}; it is left out")
        else:
            of_image.setdefault(entry["image_id"], []).extend(found)
    for entry in parts["images"]:
        name = str(entry.get("file_name", ""))
        sizes = [entry.get(key) for key in ("width", "height")]
        width, height = (size if isinstance(size, int) and size > 0 else 0 for size in sizes)
        before = content.pictures.get(name, Picture("", name, width, height))
        added = [replace(shape, number=number) for number, shape in enumerate(of_image.get(entry.get("id"), []), 1)]
        content.pictures[name] = replace(before, shapes=(*before.shapes, *added))


def _parts(path: Path) -> dict[str, list[Mapping[str, Any]]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"--labels {path} cannot be read ({error.strerror}); name a file with COCO's labels") from None
    except ValueError as error:
        raise UserError(f"--labels {path} is not JSON ({error}); name a file with COCO's labels") from None
    for part in PARTS:
        entries = content.get(part) if isinstance(content, dict) else None
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise UserError(f"--labels {path} has no list '{part}' as COCO's instances have it; name another file")
    return {part: content[part] for part in PARTS}


def _object(entry: Mapping[str, Any], label: str, wanted: str) -> list[Shape] | str:
    """Its shapes, or what is wrong with it."""
    outlines = entry.get("segmentation") or []
    if entry.get("iscrowd"):
        return "is of a crowd, which CVAT has no shape for"
    box = _box(entry.get("bbox"))
    if isinstance(outlines, dict):  # run lengths
        return [Shape("box", label, box)] if box else "has run lengths and no bbox"
    polygons = [_points(outline) for outline in outlines] if isinstance(outlines, list) else [None]
    if any(points is None for points in polygons):
        return "has a segmentation that is no list of x, y, x, y, ..."
    sound = [points for points in polygons if points]
    if box is None and sound:
        left, top, right, bottom = bounds(point for points in sound for point in points)
        box = ((left, top), (right, bottom))
    if box is None:
        return "has no bbox of a size"
    if len(sound) == 1 and _is_box(sound[0], box):
        sound = []
    return shapes(Shape("box", label, box), [Shape("polygon", label, points) for points in sound], wanted)


def _numbers(value: Any) -> list[float] | None:
    if not isinstance(value, list):
        return None
    numbers = [float(one) for one in value if isinstance(one, int | float) and not isinstance(one, bool)]
    return numbers if len(numbers) == len(value) and all(map(math.isfinite, numbers)) else None


def _box(value: Any) -> tuple[Point, Point] | None:
    numbers = _numbers(value)
    if numbers is None or len(numbers) != 4 or min(numbers[2:]) <= 0:
        return None
    left, top, width, height = numbers
    return (left, top), (left + width, top + height)


def _points(value: Any) -> tuple[Point, ...] | None:
    numbers = _numbers(value)
    if numbers is None or len(numbers) < 6 or len(numbers) % 2:
        return None
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def _is_box(points: Sequence[Point], box: tuple[Point, Point]) -> bool:
    """Some programs give a box its own corners as an outline: from any of them on, this way round or that."""
    around = corners(box)
    ways = [(*way[first:], *way[:first]) for way in (around, around[::-1]) for first in range(len(way))]
    return len(points) == len(around) and any(
        all(math.dist(one, other) < NEAR for one, other in zip(points, way, strict=True)) for way in ways
    )


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = options(__doc__ or "")
    parser.add_argument("--labels", type=Path, nargs="+", required=True, help="COCO's instances, one file or several")
    parser.add_argument("--images", type=Path, required=True, help="folder with the pictures, flat or with folders")
    args = parser.parse_args(argv)
    return finish(read(args.labels, args.images, args.shapes), args.output, args.strict)


if __name__ == "__main__":
    sys.exit(main())
