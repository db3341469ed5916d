"""Demo data as the competition has them: images, masks and tables of synthetic sections; equal seeds, equal bytes."""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import PIL
import scipy
from numpy.typing import NDArray
from PIL import Image

from containers.kit.errors import UserError
from containers.kit.files import hash_of
from containers.kit.pool import each
from containers.salt.rle import encode
from workflow.scripts.salt.seismic import draw
from workflow.scripts.slipway import demo

COMPETITION, TRUTH = "competition", "truth.csv"  # the truth of the test is no part of what a competitor gets
EMPTY, FULL, SMALL = 0.385, 0.025, 0.22  # shares: without salt, nothing else; of the others, up to a tenth of salt
LEAST, MOST = 0.02, 0.97  # of salt in an image that has some and is not full
FEET = (50, 959)
GOLDEN = (math.sqrt(5) - 1) / 2  # its multiples fill 0 to 1 evenly, however many there are
BATCH = 25  # images a piece of work
RECIPE = 1  # another number where the same settings give other bytes


@dataclass(frozen=True)
class Demo:
    train: int = 400
    test: int = 100
    seed: int = 2018

    def __post_init__(self) -> None:
        for name in ("train", "test"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
        if self.seed < 0:
            raise ValueError("seed must be at least 0")


@dataclass(frozen=True)
class Made:
    id: str
    rle: str
    feet: int


def generate(settings: Demo, scratch: Path, workers: int = 0) -> Path:
    """The competition's folder, with truth.csv beside it; made once, and not again while it is whole."""
    versions = {"numpy": np.__version__, "pillow": PIL.__version__, "scipy": scipy.__version__}
    what = {**asdict(settings), **versions, "recipe": RECIPE}
    return demo.made(scratch / f"demo-{hash_of(what)}", what, partial(_fill, settings, workers)) / COMPETITION


def _fill(settings: Demo, workers: int, folder: Path) -> None:
    root = folder / COMPETITION
    for place in ("train/images", "train/masks", "test/images"):
        (root / place).mkdir(parents=True)
    train = _part(settings, workers, root, "train", settings.train)
    test = _part(settings, workers, root, "test", settings.test)
    _table(root / "train.csv", ("id", "rle_mask"), ((one.id, one.rle) for one in train))
    _table(root / "depths.csv", ("id", "z"), ((one.id, one.feet) for one in train + test))
    _table(root / "sample_submission.csv", ("id", "rle_mask"), ((one.id, "1 1") for one in test))
    _table(folder / TRUTH, ("id", "rle_mask"), ((one.id, one.rle) for one in test))


def _part(settings: Demo, workers: int, root: Path, part: str, count: int) -> list[Made]:
    batches = [range(begin, min(begin + BATCH, count)) for begin in range(0, count, BATCH)]
    found = []
    for result in each(partial(_batch, root, settings.seed, part), batches, workers=workers, title=f"{part} images"):
        if isinstance(result, UserError):
            raise result
        found += result
    return sorted(found, key=lambda one: one.id)


def _batch(root: Path, seed: int, part: str, indices: Iterable[int]) -> list[Made]:
    return [_make(root, seed, part, index) for index in indices]


def _make(root: Path, seed: int, part: str, index: int) -> Made:
    random = np.random.default_rng([seed, ("train", "test").index(part), index])
    name = hashlib.sha256(f"slipway {seed} {part} {index}".encode()).hexdigest()[:10]
    picture = draw(random, share(index))
    images = root / part / "images"
    masks = images.parent / "masks"
    try:
        Image.fromarray(np.repeat(picture.grey[..., None], 3, axis=2)).save(images / f"{name}.png")
        if masks.is_dir():
            Image.fromarray(picture.salt.astype(np.uint16) * np.uint16(65535)).save(masks / f"{name}.png")
    except OSError as error:
        raise UserError(f"{root} cannot take the image {name}.png ({error.strerror}); make room there") from None
    return Made(name, encode(picture.salt), feet(random, picture.salt))


def share(index: int) -> float:
    """How much of the image with this number is salt; any run of numbers has all kinds of shares."""
    place = (index * GOLDEN + 0.5) % 1
    if place < EMPTY:
        return 0.0
    if place >= 1 - FULL:
        return 1.0
    rest = (place - EMPTY) / (1 - FULL - EMPTY)
    if rest < SMALL:
        return LEAST + (0.1 - LEAST) * rest / SMALL
    return 0.1 + (MOST - 0.1) * (rest - SMALL) / (1 - SMALL)


def feet(random: np.random.Generator, salt: NDArray[np.bool_]) -> int:
    """How deep an image lies; there is more salt farther down."""
    depth = random.normal(440 + 120 * bool(salt.any()) + 80 * float(salt.mean()), 180)
    return round(float(np.clip(depth, *FEET)))


def _table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
