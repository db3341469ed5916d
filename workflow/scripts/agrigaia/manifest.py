"""What a data set is made of, read and checked as the train container will, and written down as JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from containers.agrigaia.common.cvat_xml import Annotations, DataError, Picture, read
from containers.agrigaia.common.pictures import find, match, odd_sizes
from containers.kit.errors import UserError
from containers.kit.files import hash_of
from workflow.scripts.agrigaia.places import ANNOTATIONS, annotations_of


@dataclass(frozen=True)
class Found:
    root: Path
    annotations: Path
    labels: tuple[str, ...]
    pictures: dict[str, Picture]  # with a shape, by their files below the root, sorted
    bare: tuple[str, ...]  # files without annotations
    complaints: tuple[str, ...]


def survey(root: Path) -> Found:
    """What is there; what is wrong with single pictures or shapes is a complaint."""
    path = annotations_of(root)
    if path is None:
        raise UserError(f"{root / ANNOTATIONS} is not there; export from CVAT as 'CVAT for images 1.1'")
    content = _read(path)
    there, complaints = find(root)
    files = [file.relative_to(root).as_posix() for file in there]
    matched, missing = match([picture.name for picture in content.pictures], files)
    pictures = {matched[one.name]: one for one in content.pictures if one.name in matched}
    odd = odd_sizes({root / file: (one.width, one.height) for file, one in pictures.items()})
    used = {file: one for file, one in sorted(pictures.items()) if one.shapes and root / file not in odd}
    if not used:
        first = next(iter([*content.complaints, *missing, *odd.values()]), "none has a shape")
        raise UserError(f"{root} has no annotated picture that can be used ({first})")
    bare = tuple(file for file in files if file not in pictures or not pictures[file].shapes)
    told = (*complaints, *content.complaints, *missing, *odd.values())
    return Found(root.resolve(), path.resolve(), content.labels, used, bare, told)


def _read(path: Path) -> Annotations:
    try:
        return read(path)
    except DataError as error:
        raise UserError(error.sentence) from None


def manifest(kind: str, found: Found) -> dict[str, Any]:
    """What the stages that follow need to know."""
    entries = [_entry(found.root, file, picture) for file, picture in found.pictures.items()]
    # By sizes, so that it holds for a copy and thousands of pictures are not read through for this.
    shapes = [[[one.kind, one.label, one.points] for one in picture.shapes] for picture in found.pictures.values()]
    marks = [found.labels, [[entry["file"], entry["size"]] for entry in entries], shapes]
    facts = {"schema": 1, "source": kind, "root": str(found.root), "id": found.root.name}
    facts |= {"annotations": str(found.annotations.relative_to(found.root)), "fingerprint": hash_of(marks)}
    return {
        **facts,
        "labels": list(found.labels),
        "pictures": entries,
        "unannotated": list(found.bare),
        "complaints": list(found.complaints),
    }


def _entry(root: Path, file: str, picture: Picture) -> dict[str, Any]:
    facts = {"file": file, "size": (root / file).stat().st_size, "id": picture.id, "name": picture.name}
    kinds = {kind: [shape.label for shape in picture.of(kind)] for kind in ("box", "polygon", "tag")}
    return {**facts, "width": picture.width, "height": picture.height, **kinds}


def counted(found: Found) -> str:
    """What is there, for people."""
    shapes = [shape for picture in found.pictures.values() for shape in picture.shapes]
    kinds = Counter(shape.kind for shape in shapes)
    boxes = Counter(shape.label for shape in shapes if shape.kind == "box")
    told = ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items()))
    each = f"; boxes: {', '.join(f'{label} {count:,}' for label, count in sorted(boxes.items()))}" if boxes else ""
    return f"{len(found.pictures):,} annotated pictures and {len(found.bare):,} others; {told}{each}"
