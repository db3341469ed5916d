"""Read ObjectNet's raw images through, or a sample of them, and write down what they are.

    python -m workflow.scripts.objectnet.inspect --manifest scratch/objectnet/raw/manifest.json --read 50 \\
        --output scratch/objectnet/raw/fingerprint.json
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from containers.kit.errors import UserError, listed, one_line, reports_errors
from containers.objectnet.labels import LAST
from containers.objectnet.mapping import OVERLAP
from containers.objectnet.pictures import BORDER
from workflow.scripts.objectnet.licence import RED
from workflow.scripts.objectnet.release import KNOWN, WHOLE
from workflow.scripts.slipway import fingerprint_read
from workflow.scripts.slipway.fingerprint import Array, Count, Found, Labels, measure
from workflow.scripts.slipway.fingerprint_read import Raw, complete, read_each, sample

MODES = ("RGB", "RGBA")


@dataclass(frozen=True)
class Photo:
    name: str
    mode: str
    width: int
    height: int
    brightness: float  # within the border, 0 to 255
    bordered: bool


def look(path: Path) -> Photo:
    """Everything that is measured of one image, which is decoded to its end."""
    try:
        with Image.open(path, formats=["PNG"]) as image:
            mode, pixels = image.mode, np.asarray(image.convert("RGB"))
    except Exception as error:  # Pillow's readers raise all kinds, by where the bytes are broken
        raise UserError(f"{path} cannot be decoded as PNG ({_why(error)}); fetch it again") from None
    height, width = pixels.shape[:2]
    if min(width, height) <= 2 * BORDER:
        raise UserError(f"{path} is {width} x {height}, with nothing inside its border; fetch it again")
    inside = pixels[BORDER:-BORDER, BORDER:-BORDER]
    return Photo(path.name, mode, width, height, float(inside.mean()), _bordered(pixels))


def _why(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or one_line(error)


def _bordered(pixels: Array) -> bool:
    """Whether the outermost pixels are pure red."""
    edges = (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])
    return all(bool((edge == RED).all()) for edge in edges)


def inspect(raw: Raw) -> Found:
    files = [entry["file"] for entry in raw.content["images"]]
    answers: dict[str, int] = raw.content["answers"]
    shown = Counter(answers.values())
    counts = [Count("images", len(files), WHOLE)]
    if answers:
        known = sum(count for number, count in shown.items() if number in OVERLAP)
        counts += [
            Count("objects", len(shown), LAST + 1),
            Count("images of objects that ImageNet has, too", known, KNOWN),
        ]
    complete(raw, counts, singly=False)
    names = [Path(file).name for file in files]
    chosen = sample(files, [answers.get(name) for name in names], names, raw)
    photos = read_each(look, [raw.root / file for file in chosen], "images", raw, singly=False)
    modes = Counter(photo.mode for photo in photos)
    measures = [
        *measure("images of an object", "", shown.values()),
        *measure("width", "pixels", [photo.width for photo in photos]),
        *measure("height", "pixels", [photo.height for photo in photos]),
        *measure("mean brightness", "of 255", [photo.brightness for photo in photos]),
    ]
    labels = [Labels("Kinds of pixels, among those read", len(photos), {mode: modes[mode] for mode in sorted(modes)})]
    return Found("images", counts, len(files), len(photos), labels, measures, list(_notes(photos)))


def _notes(photos: Sequence[Photo]) -> Iterator[str]:
    bare = [photo.name for photo in photos if not photo.bordered]
    if bare:
        told = "lack the red border by which ObjectNet's are known"
        yield f"{len(bare):,} of {len(photos):,} images {told}: {listed(bare)}"
    odd = [f"{photo.name} ({photo.mode})" for photo in photos if photo.mode not in MODES]
    if odd:
        yield f"{len(odd):,} of {len(photos):,} images are not in colours of 8 bits: {listed(odd)}"


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    return fingerprint_read.main("objectnet", __doc__, inspect, argv)


if __name__ == "__main__":
    raise SystemExit(main())
