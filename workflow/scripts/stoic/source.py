"""Where the data come from. Each source is one function that gives the root of a data set in the organisers' layout."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from containers.kit.errors import UserError, listed
from containers.stoic.data import IMAGES, REFERENCE, Row, image_file, read_reference
from workflow.scripts.remote import table, terms
from workflow.scripts.stoic.phantom import Demo, generate
from workflow.scripts.stoic.remote import ROW, Remote


def demo(settings: Demo, scratch: Path, workers: int) -> Path:
    """Synthetic patients, made once and kept."""
    return generate(settings, scratch, workers)


def folder(path: Path) -> Path:
    """Data that are there already; they are used where they lie, and nothing is written to them."""
    for part in (IMAGES, REFERENCE):
        if not (path / part).exists():
            raise UserError(
                f"{path} has no {part}; stoic.source must name the folder that holds {IMAGES} and {REFERENCE}"
            )
    return path.resolve()


def remote(row: table.Row, accept: Sequence[str], settings: Remote, scratch: Path) -> Path:
    """The organisers' bucket, all of it or a part, brought up to date."""
    from workflow.scripts.stoic.remote_fetch import fetch  # boto3 takes its time, and the other sources need none

    if row.s3 is None:
        raise UserError(f"{ROW} must have s3, as config/sources.yaml has it; correct it under sources")
    terms.accepted(row, accept, scratch)
    return fetch(row.s3, row.title, settings, scratch)


def check(root: Path) -> list[Row]:
    """The rows of a data set, sorted by id, once each has its image and each class has a case."""
    rows = sorted(read_reference(root / REFERENCE))
    problems = [*_bad_images(root, rows)]
    if problems:
        raise UserError(f"{root} is not complete: {listed(problems, '; ')}; fetch these files again")
    courses = Counter((row.covid, row.severe) for row in rows)
    for course, name in {
        (0, 0): "without COVID",
        (1, 0): "with COVID but not severe",
        (1, 1): "that is severe",
    }.items():
        if not courses[course]:
            raise UserError(f"{root / REFERENCE} has no case {name}; training needs at least one of each class")
    known = {Path(image_file(row.id)).name for row in rows}
    extra = sorted(str(path.relative_to(root)) for path in (root / IMAGES).iterdir() if path.name not in known)
    if extra:
        print(f"note: {len(extra)} files below {root} are in no row of {REFERENCE} and stay unused: {listed(extra)}",
              file=sys.stderr)  # fmt: skip
    return rows


def _bad_images(root: Path, rows: list[Row]) -> Iterator[str]:
    for row in rows:
        image = root / image_file(row.id)
        if not image.is_file():
            yield f"PatientID {row.id} has no {image_file(row.id)}"
        elif image.stat().st_size == 0:
            yield f"{image_file(row.id)} is empty"
