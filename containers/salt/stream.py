"""From images on a disk to masks as text, a few hundred at a time, so that memory does not grow with their number."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from containers.kit.progress import bar
from containers.salt import infer
from containers.salt.images import read
from containers.salt.model import Model, kinds, load
from containers.salt.postprocess import probabilities_of
from containers.salt.rle import SIZE, encode_all
from containers.salt.settings import PROCESSED, Predict
from containers.salt.variants import HALF, masks

CHUNK = 256
Array = np.ndarray[Any, Any]


@dataclass
class Found:
    """The texts of each variant, in the order of the images, and why some images could not be read, by their path."""

    texts: dict[str, list[str]]
    broken: dict[Path, str] = field(default_factory=dict)


def on_any_device(
    artifact: Path,
    paths: Sequence[Path],
    depths: Callable[[], Mapping[str, int]],
    variants: Sequence[str],
    settings: Predict,
) -> Found:
    """On the GPU where there is one and it suits, else on the CPU: a slow answer is better than none.

    `depths` gives them by the images' ids, and is asked only where the networks take them.
    """
    torch.backends.cudnn.benchmark = False  # the fastest kernel of the day may round otherwise
    torch.backends.cudnn.deterministic = True

    def attempt(device: torch.device) -> Found:
        model = load(artifact, device, kinds(variants))
        asked = f"{len(model.classifiers)} classifiers and {len(model.segmenters)} segmentation networks"
        print(f"{len(paths):,} images by {asked} on {device}", flush=True)
        feet = depths() if model.inputs.depth else {}
        return run(model, paths, feet, variants, settings, device)

    if settings.device == "auto" and torch.cuda.is_available():
        try:
            return attempt(torch.device("cuda"))
        except RuntimeError as error:  # its memory ended, or this torch has no code for it
            print(f"warning: the GPU failed ({str(error).splitlines()[0]}); using the CPU", file=sys.stderr, flush=True)
            torch.cuda.empty_cache()
    return attempt(torch.device("cpu"))


def run(
    model: Model,
    paths: Sequence[Path],
    depths: Mapping[str, int],
    variants: Sequence[str],
    settings: Predict,
    device: torch.device,
) -> Found:
    """Depths are by the images' ids; where one is missing, the training's mean counts. What is broken has no salt."""
    found = Found({variant: [] for variant in variants})
    with bar(total=len(paths), title="images") as progress:
        for first in range(0, len(paths), CHUNK):
            some = paths[first : first + CHUNK]
            images, broken = read(some)
            whole = np.array([index for index in range(len(some)) if index not in broken], np.intp)
            feet = np.array([depths.get(path.stem, model.inputs.depth_mean) for path in some], np.float32)
            texts = _texts(model, images[whole], feet[whole], variants, settings, device)
            for variant in variants:
                lines = dict(zip(whole.tolist(), texts[variant], strict=True))
                found.texts[variant] += [lines.get(index, "") for index in range(len(some))]
            found.broken |= {some[index]: why for index, why in broken.items()}
            progress.update(len(some))
    return found


def _texts(
    model: Model, images: Array, feet: Array, variants: Sequence[str], settings: Predict, device: torch.device
) -> dict[str, list[str]]:
    if not len(images):
        return {variant: [] for variant in variants}
    needed = kinds(variants)

    def ask(kind: str, chosen: Array) -> Array:
        networks = model.classifiers if kind == "classifier" else model.segmenters
        depths = feet[chosen] if model.inputs.depth else None
        logits = infer.predict(networks, images[chosen], depths, model.inputs, settings.tta, settings.batch, device)
        return probabilities_of(logits)

    salt = np.ones(len(images), np.float32)
    if "classifier" in needed:
        salt = ask("classifier", np.ones(len(images), bool))
    pixels = np.zeros((len(images), SIZE, SIZE), np.float32)
    looked = _looked_at(model, variants, salt)
    if looked.any():
        pixels[looked] = ask("segmentation", looked)
    return {variant: encode_all(masks(variant, salt, pixels, model.choices)) for variant in variants}


def _looked_at(model: Model, variants: Sequence[str], salt: Array) -> Array:
    """Which images are segmented: those that the classifier rejects have no mask in any case."""
    looked = np.zeros(len(salt), bool)
    for variant in variants:
        source = variant.removesuffix(PROCESSED)
        if source == "segmentation":
            looked[:] = True
        elif source == "both":
            looked |= salt > (model.choices.keep if variant.endswith(PROCESSED) else HALF)
    return looked
