"""The photos that demo images are made of: real ones that packages carry, each with an object of ObjectNet's."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from containers.kit.errors import UserError
from containers.objectnet.mapping import OVERLAP
from workflow.scripts.slipway.packages import Package, fetch

FOOLBOX = Package(
    "foolbox",
    "3.3.4",
    "foolbox-3.3.4-py3-none-any.whl",
    "11049d515d38e765e206a73ace9cc648b81a0d6d1da9ad9057e149ee117989cb",
)
SCIKIT_IMAGE = Package(
    "scikit-image",
    "0.26.0",
    "scikit_image-0.26.0-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl",
    "74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
)

Box = tuple[int, int, int, int]  # left, top, right, bottom


@dataclass(frozen=True)
class Photo:
    package: Package
    member: str
    label: int  # ObjectNet's number of what lies in the box
    box: Box


# Every photo was looked at: the object is what the label says, and lies in the box.
PHOTOS = (
    Photo(FOOLBOX, "foolbox/data/imagenet_01_559.jpg", 52, (160, 175, 356, 500)),  # a deck chair among others
    Photo(FOOLBOX, "foolbox/data/imagenet_09_455.jpg", 29, (45, 85, 464, 494)),
    Photo(FOOLBOX, "foolbox/data/imagenet_11_630.jpg", 86, (20, 90, 500, 350)),
    Photo(SCIKIT_IMAGE, "skimage/data/coffee.png", 89, (75, 15, 480, 385)),  # an espresso cup on its saucer
    Photo(SCIKIT_IMAGE, "skimage/data/astronaut.png", 120, (290, 345, 500, 512)),  # the helmet beside her
    Photo(SCIKIT_IMAGE, "skimage/data/motorcycle_left.png", 304, (122, 230, 272, 395)),  # the rear wheel
    Photo(SCIKIT_IMAGE, "skimage/data/coins.png", 65, (80, 50, 304, 243)),  # some of many
    Photo(SCIKIT_IMAGE, "skimage/data/page.png", 176, (60, 5, 324, 186)),
    Photo(SCIKIT_IMAGE, "skimage/data/text.png", 176, (120, 5, 318, 167)),
)
KNOWN = tuple(photo for photo in PHOTOS if photo.label in OVERLAP)  # to a network that was trained on ImageNet
UNKNOWN = tuple(photo for photo in PHOTOS if photo.label not in OVERLAP)


def load(cache: Path) -> dict[Photo, Image.Image]:
    """All photos as RGB; their packages are fetched into `cache` where they are not there yet."""
    return {photo: _read(fetch(photo.package, cache), photo.member) for photo in PHOTOS}


def _read(wheel: Path, member: str) -> Image.Image:
    try:
        with zipfile.ZipFile(wheel) as archive, Image.open(io.BytesIO(archive.read(member))) as picture:
            return picture.convert("RGB")
    except (KeyError, OSError) as error:
        raise UserError(f"{wheel} gives no photo {member} ({error}); delete the wheel and run again") from None
