"""Demo data as the platform has them: pictures of fields and what CVAT would know of them; equal seeds, equal bytes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import contourpy
import numpy as np
import PIL
import scipy
from PIL import Image

from containers.agrigaia.common.cvat_xml import Picture, Shape
from containers.kit.errors import UserError
from containers.kit.files import hash_of
from containers.kit.pool import each
from workflow.scripts.agrigaia.cvat_write import write
from workflow.scripts.agrigaia.field import HEIGHT, WEEDY, WIDTH, Field, crop_of, grow
from workflow.scripts.agrigaia.places import ANNOTATIONS, DATASETS, ID
from workflow.scripts.agrigaia.plants import SPECIES
from workflow.scripts.slipway import demo

FOLDER = Path("minio") / DATASETS / ID
TAGS = ("clean", "weedy")
LABELS = tuple(sorted((*SPECIES, *TAGS)))
BARE, ABSENT = 20, 24  # every so manieth picture has no annotations, or is not known to CVAT at all
OUTLINED, TAGGED = 5, 3  # every so manieth has outlines as well; all but every so manieth have a tag
WEEDS = (0, 6, 5, 1, 6, 1)  # by turns
QUALITY = 92
BATCH = 10  # pictures a piece of work
RECIPE = 1  # another number where the same settings give other bytes


@dataclass(frozen=True)
class Demo:
    pictures: int = 120
    seed: int = 2021

    def __post_init__(self) -> None:
        if self.pictures < 10:
            raise ValueError("pictures must be at least 10")
        if self.seed < 0:
            raise ValueError("seed must be at least 0")


def generate(settings: Demo, scratch: Path, workers: int = 0) -> Path:
    """The data set's folder; made once, and not again while it is whole."""
    versions = {module.__name__: module.__version__ for module in (contourpy, np, PIL, scipy)}
    what = {**asdict(settings), **versions, "recipe": RECIPE}
    return demo.made(scratch / f"demo-{hash_of(what)}", what, partial(_fill, settings, workers)) / FOLDER


def _fill(settings: Demo, workers: int, folder: Path) -> None:
    root = folder / FOLDER
    (root / ANNOTATIONS).parent.mkdir(parents=True)
    batches = [range(begin, min(begin + BATCH, settings.pictures)) for begin in range(0, settings.pictures, BATCH)]
    found: list[Picture] = []
    for result in each(partial(_batch, root, settings.seed), batches, workers=workers, title="pictures"):
        if isinstance(result, UserError):
            raise result
        found += result
    known = [picture for picture in found if (int(picture.id) + 1) % ABSENT]
    write(root / ANNOTATIONS, "slipway demo", LABELS, known)


def _batch(root: Path, seed: int, indices: Iterable[int]) -> list[Picture]:
    return [_make(root, seed, index) for index in indices]


def _make(root: Path, seed: int, index: int) -> Picture:
    """One jpg in the data set's folder; CVAT's name for it has folders that are not there."""
    field = grow(np.random.default_rng([seed, index]), crop_of(index), WEEDS[index % len(WEEDS)])
    name = f"field_{index:04}.jpg"
    try:
        Image.fromarray(field.pixels).save(root / name, quality=QUALITY)
    except OSError as error:
        raise UserError(f"{root} cannot take the picture {name} ({error.strerror}); make room there") from None
    shapes = () if (index + 1) % BARE == 0 else tuple(_shapes(field, index))
    return Picture(str(index), f"{field.crop}/day_{index // 40 + 1}/{name}", WIDTH, HEIGHT, shapes)


def _shapes(field: Field, index: int) -> Iterable[Shape]:
    for plant in field.plants:
        left, top, right, bottom = plant.box
        yield Shape("box", plant.species, ((left, top), (right, bottom)))
    if index % OUTLINED == 0:
        for plant in field.plants:
            yield Shape("polygon", plant.species, plant.outline)
    if index % TAGGED:
        yield Shape("tag", TAGS[field.weeds >= WEEDY])
