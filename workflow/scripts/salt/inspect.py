"""Read the salt competition's raw images and masks through, or a sample of them, and write down what they are.

    python -m workflow.scripts.salt.inspect --manifest scratch/salt/raw/manifest.json --read 50 \\
        --output scratch/salt/raw/fingerprint.json
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from containers.kit.errors import UserError, listed, reports_errors
from containers.salt.images import Unreadable, decode
from workflow.scripts.salt import pictures
from workflow.scripts.salt.dataset import WHOLE
from workflow.scripts.slipway import fingerprint_read
from workflow.scripts.slipway.fingerprint import Count, Found, Labels, measure
from workflow.scripts.slipway.fingerprint_read import Raw, complete, read_each, sample

RELEASED = dict(zip(("images with masks", "images for the test"), WHOLE, strict=True))
BATCH = 500  # images a piece of work
WIDE = "I;16"  # what Pillow calls 16 bits of grey
QUARTERS = ("up to a quarter", "up to a half", "up to three quarters", "more")
EMPTY, FULL, TEST = "no salt", "nothing but salt", "test"
KINDS = (EMPTY, *QUARTERS, FULL)
Json = dict[str, Any]


@dataclass(frozen=True)
class Seen:
    means: tuple[float, ...]  # grey level of each image
    contrasts: tuple[float, ...]  # their standard deviations
    narrow: tuple[str, ...]  # masks that are not of 16 bits


def look(batch: Sequence[tuple[Path, Path | None]]) -> Seen:
    """What images and masks show that `pictures.check` found sound."""
    means, contrasts, narrow = [], [], []
    for image, mask in batch:
        try:
            pixels = decode(image)
            means.append(float(pixels.mean()))
            contrasts.append(float(pixels.std()))
            if mask:
                with Image.open(mask) as opened:
                    narrow += [mask.name] if not opened.mode.startswith(WIDE) else []
        except (Unreadable, OSError) as error:
            raise UserError(f"{image} or its mask cannot be read ({error}); fetch it again") from None
    return Seen(tuple(means), tuple(contrasts), tuple(narrow))


def inspect(raw: Raw) -> Found:
    train, test = raw.content["train"], raw.content["test"]
    counts = [Count(name, len(of), RELEASED[name]) for name, of in zip(RELEASED, (train, test), strict=True)]
    complete(raw, counts, singly=False)
    cases = [*train, *test]
    chosen = sample(cases, [_kind(case) for case in cases], [case["id"] for case in cases], raw)
    _check(raw, chosen)
    work = [(raw.root / case["image"], raw.root / case["mask"] if "mask" in case else None) for case in chosen]
    batches = [work[begin : begin + BATCH] for begin in range(0, len(work), BATCH)]
    seen = read_each(look, batches, "batches of images", raw, singly=False)
    shares = [case["coverage"] for case in train]
    measures = [
        *measure("salt, where there is some", "%", [100 * share for share in shares if share]),
        *measure("depth", "feet", [case["z"] for case in cases if case["z"] is not None]),
        *measure("mean grey level", "of 255", [mean for one in seen for mean in one.means]),
        *measure("contrast (standard deviation)", "of 255", [value for one in seen for value in one.contrasts]),
    ]
    kinds = [_kind(case) for case in train]
    labels = [Labels("How much of an image is salt", len(train), {name: kinds.count(name) for name in KINDS})]
    return Found("images", counts, len(cases), len(chosen), labels, measures, list(_notes(cases, seen)))


def _kind(case: Json) -> str:
    """How much of an image is salt."""
    share = case.get("coverage")
    if share is None:
        return TEST
    return EMPTY if share == 0 else FULL if share == 1 else QUARTERS[math.ceil(4 * share) - 1]


def _check(raw: Raw, chosen: Sequence[Json]) -> None:
    """Each file as closely as fetch looks at some."""
    images = [pictures.Check(case["image"], closely=True) for case in chosen]
    masks = [pictures.Check(case["mask"], closely=True, rle=case["rle"] or "") for case in chosen if "mask" in case]
    pictures.check(raw.root, [*images, *masks], raw.workers)


def _notes(cases: Sequence[Json], seen: Sequence[Seen]) -> Iterator[str]:
    bare = [case["id"] for case in cases if case["z"] is None]
    if bare:
        yield f"{len(bare):,} of {len(cases):,} images have no depth: {listed(bare)}"
    narrow = [name for one in seen for name in one.narrow]
    if narrow:
        yield f"{len(narrow):,} of the masks that were read are not of 16 bits, which does no harm: {listed(narrow)}"


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    return fingerprint_read.main("salt", __doc__, inspect, argv)


if __name__ == "__main__":
    raise SystemExit(main())
