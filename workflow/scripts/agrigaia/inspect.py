"""Read a data set's pictures through, or a sample of them, and write down what they and their annotations are.

    python -m workflow.scripts.agrigaia.inspect --manifest scratch/agrigaia/raw/manifest.json --read 50 \\
        --output scratch/agrigaia/raw/fingerprint.json
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from containers.agrigaia.common.cvat_xml import DataError, bounds, read
from containers.agrigaia.common.pictures import odd_sizes, upright_size
from containers.kit.errors import UserError, listed, one_line, reports_errors
from workflow.scripts.slipway import fingerprint_read
from workflow.scripts.slipway.fingerprint import Count, Found, Labels, Measure, measure
from workflow.scripts.slipway.fingerprint_read import Raw, read_each, sample

KINDS = {"box": "Boxes", "polygon": "Polygons", "tag": "Tags"}


@dataclass(frozen=True)
class Work:
    path: Path
    size: tuple[int, int] | None  # that it was annotated with


@dataclass(frozen=True)
class Seen:
    width: int
    height: int
    brightness: float


def look(work: Work) -> Seen:
    """Everything that is measured of one picture, which is decoded to its end."""
    if work.size and (wrong := odd_sizes({work.path: work.size})):
        raise UserError(wrong[work.path])
    try:
        with Image.open(work.path) as picture:
            mean = float(np.asarray(picture.convert("RGB")).mean())
        width, height = upright_size(work.path)
    except Exception as error:  # Pillow's readers raise all kinds, by where the bytes are broken
        raise UserError(f"{work.path} cannot be decoded ({one_line(error)}); put it there again") from None
    return Seen(width, height, mean)


def inspect(raw: Raw) -> Found:
    entries, bare = raw.content["pictures"], raw.content["unannotated"]
    counts = [Count("annotated pictures", len(entries)), Count("pictures without annotations", len(bare))]
    sizes = {entry["file"]: (entry["width"], entry["height"]) for entry in entries}
    kinds = {entry["file"]: tuple(sorted({label for kind in KINDS for label in entry[kind]})) for entry in entries}
    files = [*sizes, *bare]
    chosen = sample(files, [kinds.get(file) for file in files], files, raw)
    work = [Work(raw.root / file, sizes.get(file)) for file in chosen]
    seen = read_each(look, work, "pictures", raw, singly=True)
    labels = list(_labels(raw.content))
    measures = [*_boxes(raw, {entry["name"] for entry in entries})]
    measures += measure("width", "pixels", [one.width for one in seen], "Pictures")
    measures += measure("height", "pixels", [one.height for one in seen], "Pictures")
    measures += measure("mean brightness", "of 255", [one.brightness for one in seen], "Pictures")
    return Found("pictures", counts, len(files), len(seen), labels, measures, list(_notes(raw.content)))


def _labels(content: dict[str, Any]) -> Iterator[Labels]:
    for kind, title in KINDS.items():
        found = Counter(label for entry in content["pictures"] for label in entry[kind])
        if found:
            yield Labels(title, found.total(), {label: found[label] for label in content["labels"] if found[label]})


def _boxes(raw: Raw, names: set[str]) -> list[Measure]:
    """How large the boxes are and how many a picture has; the manifest tells of their labels alone."""
    path = raw.root / raw.content["annotations"]
    try:
        pictures = [picture for picture in read(path).pictures if picture.name in names]
    except DataError as error:
        raise UserError(error.sentence) from None
    counts, widths, heights, shares = [], [], [], []
    for picture in pictures:
        boxes = [bounds(box.points) for box in picture.of("box")]
        counts.append(len(boxes))
        widths += [right - left for left, _, right, _ in boxes]
        heights += [bottom - top for _, top, _, bottom in boxes]
        whole = picture.width * picture.height
        shares += [100 * math.sqrt((right - left) * (bottom - top) / whole) for left, top, right, bottom in boxes]
    if not widths:
        return []
    return [
        *measure("boxes of a picture", "", counts, "Boxes"),
        *measure("width", "pixels", widths, "Boxes"),
        *measure("height", "pixels", heights, "Boxes"),
        *measure("side, in relation to the picture's", "%", shares, "Boxes"),
    ]


def _notes(content: dict[str, Any]) -> Iterator[str]:
    complaints = content["complaints"]
    if complaints:
        told = [complaint.replace(f"{content['root']}/", "") for complaint in complaints]
        yield f"of pictures and annotations there are complaints ({len(complaints):,}): {listed(told, '; ')}"
    bare = [
        label
        for label in content["labels"]
        if not any(label in entry[kind] for entry in content["pictures"] for kind in KINDS)
    ]
    if bare:
        yield f"no picture has {listed(bare)}, although the annotations declare them"


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    return fingerprint_read.main("agrigaia", __doc__, inspect, argv)


if __name__ == "__main__":
    raise SystemExit(main())
