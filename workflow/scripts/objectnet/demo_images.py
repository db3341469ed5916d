"""Demo images as the challenge has them, made of real photos: 484 x 274, RGBA, a red border, names of hex digits."""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from random import Random

import PIL
from PIL import Image, ImageEnhance

from containers.kit.errors import UserError
from containers.kit.files import hash_of, write_json
from containers.kit.pool import each
from containers.objectnet.mapping import OVERLAP
from workflow.scripts.objectnet.demo_photos import KNOWN, PHOTOS, UNKNOWN, Photo, load
from workflow.scripts.objectnet.release import IMAGES
from workflow.scripts.slipway import demo

SIZE, BORDER, RED = (484, 274), 2, (255, 0, 0, 255)
INNER = (SIZE[0] - 2 * BORDER, SIZE[1] - 2 * BORDER)
TURN, TIGHT, WIDE, SHIFT = 12.0, 1.05, 1.8, 0.3  # degrees; view over object; how far the object is off the middle
DARK, BRIGHT = 0.5, 1.4
ALL, OVERLAPPING = "answers-objectnet-all.json", "answers-objectnet-overlap.json"  # as the organisers name them
RECIPE = 1  # another number where the same settings give other bytes


@dataclass(frozen=True)
class Demo:
    images: int = 60
    seed: int = 2020

    def __post_init__(self) -> None:
        if self.images < 1:
            raise ValueError("images must be at least 1")
        if self.seed < 0:
            raise ValueError("seed must be at least 0")


@dataclass(frozen=True)
class View:
    """What of a photo an image shows."""

    centre: tuple[float, float]
    height: float  # of the view, in the photo's pixels
    degrees: float
    mirrored: bool
    brightness: float


def generate(settings: Demo, scratch: Path, cache: Path, workers: int = 0) -> Path:
    """A folder with images/ and the two files of answers; made once, and not again while it is whole."""
    what = {**asdict(settings), "recipe": RECIPE, "pillow": PIL.__version__, "photos": _sources()}
    return demo.made(scratch / f"demo-{hash_of(what)}", what, partial(_fill, settings, cache, workers))


def _sources() -> list[list[object]]:
    return [[photo.package.sha256, photo.member, photo.label, photo.box] for photo in PHOTOS]


def _fill(settings: Demo, cache: Path, workers: int, folder: Path) -> None:
    (folder / IMAGES).mkdir()
    photos = load(cache)
    work = [(folder / IMAGES, settings.seed, index, _of(index), photos[_of(index)]) for index in range(settings.images)]
    results = each(_make, work, workers=workers, title="images")
    for result in results:
        if isinstance(result, UserError):
            raise result
    answers = {name: _of(index).label for index, name in enumerate(result for result in results)}
    write_json(folder / ALL, answers)
    write_json(folder / OVERLAPPING, {name: label for name, label in answers.items() if label in OVERLAP})


def _of(index: int) -> Photo:
    """Two of three images show what a network knows that learnt from ImageNet."""
    group, place = (UNKNOWN, index // 3) if index % 3 == 2 else (KNOWN, index - index // 3)
    return group[place % len(group)]


def _make(work: tuple[Path, int, int, Photo, Image.Image]) -> str:
    folder, seed, index, photo, picture = work
    name = hashlib.sha256(f"slipway {seed} {index}".encode()).hexdigest()[:15] + ".png"
    image = draw(picture, view(photo.box, Random(f"{seed} {index}")))
    try:
        image.save(folder / name, format="PNG")
    except OSError as error:
        raise UserError(f"{folder / name} cannot be written ({error.strerror}); make room there") from None
    return name


def view(box: tuple[int, int, int, int], random: Random) -> View:
    """A view that holds all of the box, in the middle square that networks look at."""
    left, top, right, bottom = box
    height = max(right - left, bottom - top) * random.uniform(TIGHT, WIDE)
    shift = [random.uniform(-SHIFT, SHIFT) * (height - side) for side in (right - left, bottom - top)]
    centre = ((left + right) / 2 + shift[0], (top + bottom) / 2 + shift[1])
    mirrored = random.random() < 0.5
    return View(centre, height, random.uniform(-TURN, TURN), mirrored, random.uniform(DARK, BRIGHT))


def draw(photo: Image.Image, one: View) -> Image.Image:
    """The view with its border; where it goes beyond the photo, the photo's own colours go on, blurred."""
    backdrop, (x, y) = _backdrop(photo, math.ceil(1.2 * one.height * SIZE[0] / SIZE[1]))
    twice = (2 * INNER[0], 2 * INNER[1])  # drawn larger, then made smaller: else fine structures flicker
    step, angle = one.height / twice[1], math.radians(one.degrees)
    across, down = step * math.cos(angle), step * math.sin(angle)
    matrix = [across, -down, down, across]
    if one.mirrored:
        matrix[0], matrix[2] = -matrix[0], -matrix[2]
    a, b, c, d = matrix
    middle = (x + one.centre[0], y + one.centre[1])
    start = (middle[0] - a * twice[0] / 2 - b * twice[1] / 2, middle[1] - c * twice[0] / 2 - d * twice[1] / 2)
    large = backdrop.transform(
        twice, Image.Transform.AFFINE, (a, b, start[0], c, d, start[1]), Image.Resampling.BICUBIC
    )
    small = ImageEnhance.Brightness(large.resize(INNER, Image.Resampling.LANCZOS)).enhance(one.brightness)
    image = Image.new("RGBA", SIZE, RED)
    image.paste(small, (BORDER, BORDER))
    return image


def _backdrop(photo: Image.Image, margin: int) -> tuple[Image.Image, tuple[int, int]]:
    """The photo in the middle of a wider picture of its colours, and where it lies there."""
    wide = (photo.width + 2 * margin, photo.height + 2 * margin)
    backdrop = photo.resize((8, 8), Image.Resampling.BOX).resize(wide, Image.Resampling.BICUBIC)
    backdrop.paste(photo, (margin, margin))
    return backdrop, (margin, margin)
