"""Pictures as the networks get them: upright, in RGB, square, and all of one size in a file beside the memory."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

GREY = (127, 127, 127)  # around pictures

Box = tuple[float, float, float, float]  # left, top, right, bottom


def upright(path: Path) -> Image.Image:
    """As the camera was held; CVAT shows and measures pictures so."""
    try:
        with Image.open(path) as picture:
            turned = ImageOps.exif_transpose(picture)
            if turned.mode.startswith("I") or turned.mode == "F":  # more than 8 bits, which PIL would cut off
                values = np.asarray(turned, np.float64)
                low, high = values.min(), values.max()
                turned = Image.fromarray(np.rint((values - low) * (255 / max(high - low, 1e-9))).astype(np.uint8))
            return turned.convert("RGB")
    except (OSError, SyntaxError, ValueError) as error:
        words = " ".join(str(error).split())
        raise SystemExit(f"error: {path} cannot be read as a picture ({words}); put it there again") from None


def square(picture: Image.Image, box: Box, size: int) -> Image.Image:
    """The square around the middle of a box, in `size` x `size` pixels; what lies beyond the picture is grey."""
    left, top, right, bottom = box
    side = max(right - left, bottom - top, 1.0)
    x, y = (left + right - side) / 2, (top + bottom - side) / 2
    inside = (max(x, 0.0), max(y, 0.0), min(x + side, float(picture.width)), min(y + side, float(picture.height)))
    scale = size / side
    corner = (round((inside[0] - x) * scale), round((inside[1] - y) * scale))
    width = max(1, min(round((inside[2] - x) * scale), size) - corner[0])
    height = max(1, min(round((inside[3] - y) * scale), size) - corner[1])
    cut = picture.resize((width, height), Image.Resampling.BICUBIC, box=inside, reducing_gap=3.0)
    if (width, height) == (size, size):
        return cut
    result = Image.new("RGB", (size, size), GREY)
    result.paste(cut, corner)
    return result


class Frames:
    """Square pictures of one size, in a file that ends with the program; batches of them are read as they are asked."""

    def __init__(self, count: int, size: int) -> None:
        self.size = size
        shape, needed = (count, size, size, 3), count * size * size * 3
        free = shutil.disk_usage(tempfile.gettempdir()).free
        if needed > free:
            raise SystemExit(
                f"error: {tempfile.gettempdir()} has {free / 1e9:.1f} GB free and {count} pictures of img-size {size} "
                f"take {needed / 1e9:.1f} GB; set TMPDIR to a larger place, or lower img-size"
            )
        self.file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as this
        self.file.truncate(max(needed, 1))
        self.values: NDArray[np.uint8] = np.zeros((0, size, size, 3), np.uint8)
        if count:
            self.values = np.memmap(self.file, np.uint8, "r+", shape=shape)

    def __len__(self) -> int:
        return len(self.values)

    def put(self, index: int, picture: Image.Image) -> None:
        self.values[index] = np.asarray(picture)

    def batch(self, indices: Sequence[int] | Tensor, device: torch.device) -> Tensor:
        """RGB as 0..1."""
        chosen = np.ascontiguousarray(self.values[np.asarray(indices)])
        return torch.from_numpy(chosen).to(device).permute(0, 3, 1, 2).float().div_(255)
