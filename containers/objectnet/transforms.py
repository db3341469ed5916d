"""From a photo to the numbers that a network sees, step by step as torchvision's transforms compute them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from containers.kit.errors import UserError, one_line
from containers.objectnet.settings import Transform

if TYPE_CHECKING:
    from collections.abc import Callable

Floats = np.ndarray[Any, np.dtype[np.float32]]
Bytes = np.ndarray[Any, np.dtype[np.uint8]]
FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
DESCRIPTION = Path(__file__).parent / "model" / "data_transform_description.py"


class Pipeline:
    """Resize, cut out the middle square, scale; a `Transform` put to work."""

    def __init__(self, transform: Transform) -> None:
        self.transform = transform
        self._mean = np.array(transform.mean, np.float32).reshape(3, 1, 1)
        self._std = np.array(transform.std, np.float32).reshape(3, 1, 1)

    def __call__(self, image: Image.Image) -> Floats:
        """3 x size x size."""
        numbers = np.empty((3, self.transform.size, self.transform.size), np.float32)
        # The same three steps as ToTensor and Normalize take, so that not even the last bit differs.
        np.divide(self.pixels(image).transpose(2, 0, 1), np.float32(255), out=numbers)
        numbers -= self._mean
        numbers /= self._std
        return numbers

    def pixels(self, image: Image.Image) -> Bytes:
        """size x size x 3: the middle square of the resized photo."""
        size = self.transform.size
        resized = image.resize(self._resized(image.size), FILTERS[self.transform.interpolation])
        left, top = (round((length - size) / 2) for length in resized.size)
        return np.asarray(resized.crop((left, top, left + size, top + size)))  # black where the photo is smaller

    def _resized(self, size: tuple[int, int]) -> tuple[int, int]:
        side = round(self.transform.size / self.transform.crop)
        if self.transform.resize == "squash":
            return side, side
        width, height = size
        if width <= height:
            return side, int(side * height / width)
        return int(side * width / height), side


def own() -> Callable[[Image.Image], Any]:
    """What model/data_transform_description.py gives."""
    try:
        from containers.objectnet.model.data_transform_description import data_transform

        found = data_transform().getTransform()
    except ImportError as error:
        raise UserError(
            f"{DESCRIPTION} needs {error.name or 'a package'}, which this image has not; use a Pipeline in it, or the "
            f"image with torch ({error})"
        ) from None
    except Exception as error:
        raise UserError(f"{DESCRIPTION} fails with {type(error).__name__}: {one_line(error)}; correct it") from None
    if not callable(found):
        raise UserError(f"getTransform() of {DESCRIPTION} must return something to call, not {found!r}")
    return found
