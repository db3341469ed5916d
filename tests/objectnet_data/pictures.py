"""Small pictures for tests."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

RED = (255, 0, 0)


def picture(path: Path, border: int = 0, size: tuple[int, int] = (24, 16), colour: tuple[int, int, int] = RED) -> Path:
    """A blue picture with a border."""
    image = Image.new("RGB", size, colour)
    image.paste((20, 60, 200), (border, border, size[0] - border, size[1] - border))
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
    return path


def name(number: int) -> str:
    """As ObjectNet names its images."""
    return f"{number:015x}.png"
