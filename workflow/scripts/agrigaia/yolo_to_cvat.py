"""Turn a data set with YOLO's labels into one as the platform has it: pictures and CVAT's annotations.

    python -m workflow.scripts.agrigaia.yolo_to_cvat --data yolo/data.yaml --output minio/datasets/3

The file says where pictures lie (path, train, val, test) and what the labels are called (names). A picture's labels lie
in `labels` where it lies in `images`, or beside it. Lines are boxes or outlines; those of outlines become a box and a
polygon, unless --shapes says otherwise. Pictures are linked, not copied, where the disk allows it.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from containers.agrigaia.common.cvat_xml import Picture, Shape, bounds
from containers.agrigaia.common.pictures import SUFFIXES, find
from containers.kit.errors import UserError, reports_errors
from workflow.scripts.agrigaia.convert import Arrived, finish, options, shapes, upright

PARTS = ("train", "val", "test")
IMAGES, LABELS = "images", "labels"


def read(data: Path, wanted: str) -> Arrived:
    """All parts that the file names."""
    content = _content(data)
    names = _names(data, content)
    base = (data.parent / str(content.get("path") or "")).absolute()
    pictures: dict[Path, Picture] = {}
    complaints: list[str] = []
    for part in PARTS:
        places = content.get(part) or []
        for place in [places] if isinstance(places, str) else places:
            for path in _files(data, _place(data, base, part, str(place)), complaints):
                size = upright(path, complaints)
                lines = labels_of(path)
                if size:
                    found = _shapes(lines, names, size, wanted, complaints) if lines else ()
                    pictures[path] = Picture("", path.name, *size, found)
    if not pictures:
        raise UserError(f"--data {data} leads to no pictures; name their folders as {', '.join(PARTS)}")
    return Arrived(tuple(sorted(set(names.values()))), dict(sorted(pictures.items())), tuple(complaints))


def _content(data: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(data.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"--data {data} cannot be read ({error.strerror}); name YOLO's file of the data set") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"--data {data} is not YAML ({' '.join(str(error).split())}); mend it") from None
    if not isinstance(content, dict) or not content.get("names"):
        raise UserError(f"--data {data} has no 'names'; list there what the labels are called")
    return content


def _names(data: Path, content: dict[str, Any]) -> dict[int, str]:
    """A list, or a mapping from numbers."""
    names = content["names"]
    pairs = names.items() if isinstance(names, dict) else enumerate(names) if isinstance(names, list) else ()
    found = {int(number): str(name).strip() for number, name in pairs if str(number).isdecimal()}
    if not found or len(found) < len(names) or not all(found.values()):
        raise UserError(f"--data {data} has 'names' that are neither a list nor numbers with names; mend them")
    return found


def _place(data: Path, base: Path, part: str, place: str) -> Path:
    """Where a part lies; some programs write ../train/images and mean train/images."""
    tried = [base / place, *([base / place.removeprefix("../")] if place.startswith("../") else [])]
    found = next((path for path in tried if path.exists()), None)
    if found is None:
        raise UserError(f"--data {data} has '{part}: {place}', and {tried[0]} is not there; correct it")
    return found


def _files(data: Path, place: Path, complaints: list[str]) -> list[Path]:
    """The pictures of a folder, or those that a list names."""
    if place.is_dir():
        return find(place, links=True)[0]
    if place.suffix != ".txt":
        raise UserError(f"--data {data} names {place}, which is neither a folder nor a list of pictures; correct it")
    listed = [line.strip() for line in place.read_text(encoding="utf-8", errors="replace").splitlines()]
    paths = [place.parent / line for line in listed if line]
    complaints += [f"{place} lists {path}, which is not there; it is left out" for path in paths if not path.is_file()]
    return [path for path in paths if path.is_file() and path.suffix.lower() in SUFFIXES]


def labels_of(picture: Path) -> Path | None:
    """The file with a picture's labels, None where it has none."""
    parts = list(picture.parts)
    beside = picture.with_suffix(".txt")
    if IMAGES in parts[:-1]:
        last = len(parts) - 2 - parts[-2::-1].index(IMAGES)
        apart = Path(*parts[:last], LABELS, *parts[last + 1 :]).with_suffix(".txt")
        if apart.is_file():
            return apart
    return beside if beside.is_file() else None


def _shapes(
    path: Path, names: dict[int, str], size: tuple[int, int], wanted: str, complaints: list[str]
) -> tuple[Shape, ...]:
    found: list[Shape] = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        if line.strip():
            read_one = _object(line.split(), names, size, number, wanted)
            if isinstance(read_one, str):
                complaints.append(f"{path}, line {number}, {read_one}; it is left out")
            else:
                found += read_one
    return tuple(found)


def _object(
    words: Sequence[str], names: dict[int, str], size: tuple[int, int], line: int, wanted: str
) -> list[Shape] | str:
    """The shapes of a line, or what is wrong with it."""
    try:
        values = [float(word) for word in words]
    except ValueError:
        return "is not made of numbers"
    if not all(map(math.isfinite, values)) or values[0] not in names:
        return f"has a label or a value that cannot be; 'names' has {len(names)} labels"
    label = names[int(values[0])]
    if len(values) in (5, 6):  # the sixth is how sure a program was
        x, y, wide, high = (value * pixels for value, pixels in zip(values[1:5], size * 2, strict=True))
        if wide <= 0 or high <= 0:
            return "has a box of no size"
        return [Shape("box", label, ((x - wide / 2, y - high / 2), (x + wide / 2, y + high / 2)), line)]
    if len(values) < 7 or not len(values) % 2:
        return f"has {len(values)} numbers; a box has 5, an outline a label and three points or more"
    points = tuple((x * size[0], y * size[1]) for x, y in zip(values[1::2], values[2::2], strict=True))
    left, top, right, bottom = bounds(points)
    if left >= right or top >= bottom:
        return "has an outline of no size"
    box = Shape("box", label, ((left, top), (right, bottom)), line)
    return shapes(box, [Shape("polygon", label, points, line)], wanted)


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = options(__doc__ or "")
    parser.add_argument("--data", type=Path, required=True, help="YOLO's file of the data set, such as data.yaml")
    args = parser.parse_args(argv)
    return finish(read(args.data, args.shapes), args.output, args.strict)


if __name__ == "__main__":
    sys.exit(main())
