"""What conversions to the platform's form share: the result, and the words of their commands."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from containers.agrigaia.common.cvat_xml import Picture, Shape, fitted
from containers.agrigaia.common.pictures import named, upright_size
from containers.kit.errors import UserError, one_line
from containers.kit.files import replacing_tree
from workflow.scripts.agrigaia.cvat_write import write
from workflow.scripts.agrigaia.places import ANNOTATIONS
from workflow.scripts.slipway.trees import link

SHAPES = ("both", "boxes", "polygons")


@dataclass(frozen=True)
class Arrived:
    """Pictures with shapes, by their files; and what is wrong with some."""

    labels: tuple[str, ...]
    pictures: dict[Path, Picture]
    complaints: tuple[str, ...]


def options(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder that is made: pictures and annotations")
    parser.add_argument(
        "--shapes", choices=SHAPES, default="both", help="what of objects that have an outline is taken"
    )
    parser.add_argument("--strict", action="store_true", help="end with an error where there would be a warning")
    return parser


def upright(path: Path, complaints: list[str]) -> tuple[int, int] | None:
    """Width and height, as CVAT shows the picture; None of what is no picture."""
    try:
        return upright_size(path)
    except (OSError, SyntaxError, ValueError) as error:
        complaints.append(f"{path} cannot be read as a picture ({one_line(error)}); put it there again")
        return None


def shapes(box: Shape | None, polygons: Sequence[Shape], wanted: str) -> list[Shape]:
    """What is taken of an object; one without an outline gives its box."""
    if wanted == "polygons" and polygons:
        return list(polygons)
    taken = [box] if box else []
    return [*taken, *polygons] if wanted == "both" else taken


def finish(arrived: Arrived, output: Path, strict: bool) -> int:
    """Put the data set into its folder, whole or not at all, and say what is in it."""
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UserError(f"--output {output} is there already; name a folder that is made")
    files = flat_names(list(arrived.pictures))
    complaints = list(arrived.complaints)
    pictures = []
    for number, (file, picture) in enumerate(arrived.pictures.items()):
        cut = fitted(replace(picture, id=str(number)), complaints, str(file))
        pictures.append(replace(cut, name=files[file]))
    if not any(picture.shapes for picture in pictures):
        raise UserError(f"nothing to convert: {next(iter(complaints), 'no picture has an object')}")
    if strict and complaints:
        raise UserError(complaints[0])
    for complaint in named(complaints):
        print(f"warning: {complaint}", file=sys.stderr)
    try:
        with replacing_tree(output) as new:
            for file, name in files.items():
                link(file.resolve(), new / name)
            (new / ANNOTATIONS.parent).mkdir()
            write(new / ANNOTATIONS, output.name, arrived.labels, pictures)
    except OSError as error:
        raise UserError(f"--output {output} cannot be made ({error.strerror}); make room there") from None
    kinds = Counter(shape.kind for picture in pictures for shape in picture.shapes)
    told = ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items()))
    print(f"{output}: {len(pictures):,} pictures with {told} of {len(arrived.labels)} labels")
    return 0


def flat_names(files: Sequence[Path]) -> dict[Path, str]:
    """A name without folders for each file, as the platform wants them; where two would be equal, folders tell."""
    if not files:
        return {}
    top = Path(os.path.commonpath([file.absolute().parent for file in files]))
    counts = Counter(file.stem.lower() for file in files)
    names: dict[Path, str] = {}
    taken: set[str] = set()  # without suffixes, since labels are named by them
    for file in files:
        whole = "_".join(file.absolute().relative_to(top).with_suffix("").parts)
        stem = start = file.stem if counts[file.stem.lower()] == 1 else whole
        number = 1
        while stem.lower() in taken:
            number += 1
            stem = f"{start}-{number}"
        taken.add(stem.lower())
        names[file] = f"{stem}{file.suffix}"
    return names
