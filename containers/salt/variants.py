"""The six submissions: of classifier, segmentation and both, each with and without post-processing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from containers.kit.errors import UserError
from containers.kit.settings import build
from containers.salt.postprocess import Cleaning, clean
from containers.salt.settings import PROCESSED

Array = np.ndarray[Any, Any]
PLAIN = Cleaning()
HALF = 0.5  # without post-processing salt is what is likelier than not, of images and of pixels


@dataclass(frozen=True)
class Choices:
    """What was tuned on out-of-fold predictions."""

    keep: float  # an image whose probability of salt is not above this has none, in both_post_processing
    segmentation: Cleaning
    both: Cleaning

    def __post_init__(self) -> None:
        if not 0 <= self.keep < 1:
            raise ValueError(f"keep {self.keep} is not between 0 and 1")


def choices_of(content: Mapping[str, Any], where: str) -> Choices:
    """From what `tune` wrote; `where` names the file in errors."""
    try:
        return build(Choices, {name: content[name] for name in ("keep", "segmentation", "both")}, where)
    except (KeyError, TypeError):
        raise UserError(f"{where} does not hold what was tuned; make it again") from None


def masks(variant: str, salt: Array, pixels: Array, choices: Choices) -> Array:
    """Masks (n, h, w) of probabilities: `salt` (n,) that an image has any, `pixels` (n, h, w).

    The classifier alone knows no place: it marks one pixel, as the original pipeline does, and is a probe of how many
    images without salt it finds. Of a single pixel post-processing leaves nothing wherever it removes small things.
    """
    source, processed = variant.removesuffix(PROCESSED), variant.endswith(PROCESSED)
    if source == "segmentation":
        return clean(pixels, choices.segmentation if processed else PLAIN)
    if source == "classifier":
        pixels = np.zeros_like(pixels)
        pixels[:, 0, 0] = 1
    found = clean(pixels, choices.both if processed else PLAIN)
    kept: Array = found & (salt > (choices.keep if processed else HALF))[:, None, None]
    return kept
