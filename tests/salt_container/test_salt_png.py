"""Reading images: what counts as one, and what is said of what does not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from containers.salt.images import Unreadable, decode, read
from containers.salt.rle import SIZE

GREY = (np.arange(SIZE * SIZE) % 251).astype(np.uint8).reshape(SIZE, SIZE)


def save(path: Path, kind: str) -> Path:
    image = Image.fromarray(GREY)
    if kind == "RGB":
        image = Image.fromarray(np.stack([GREY, GREY * 0, GREY * 0], axis=2))  # only the first channel counts
    elif kind == "RGBA":
        image = Image.fromarray(np.stack([GREY, GREY, GREY, GREY // 2], axis=2))
    elif kind == "P":
        image = image.convert("P")
    elif kind == "16 bits":
        image = Image.fromarray(GREY.astype(np.uint16) * 257)
    image.save(path)
    return path


@pytest.mark.parametrize("kind", ["RGB", "L", "RGBA", "P", "16 bits"])
def test_every_kind_of_png_gives_the_same_grey_levels(kind: str, tmp_path: Path) -> None:
    found = decode(save(tmp_path / "a.png", kind))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, GREY)


def test_black_and_white_is_dark_and_bright(tmp_path: Path) -> None:
    Image.fromarray(GREY > 100).save(tmp_path / "a.png")
    np.testing.assert_array_equal(decode(tmp_path / "a.png"), (GREY > 100) * np.uint8(255))


def test_another_size_is_told(tmp_path: Path) -> None:
    Image.new("L", (101, 128)).save(tmp_path / "a.png")
    with pytest.raises(Unreadable, match="it is 101 x 128, not 101 x 101"):
        decode(tmp_path / "a.png")


def test_what_is_broken_is_black_and_told_by_its_place(tmp_path: Path) -> None:
    paths = [save(tmp_path / f"{name}.png", "RGB") for name in "abcd"]
    paths[1].write_bytes(paths[0].read_bytes()[:400])
    paths[2].write_text("salt")
    paths[3].unlink()
    images, broken = read(paths)
    np.testing.assert_array_equal(images[0], GREY)
    assert not images[1:].any()
    assert sorted(broken) == [1, 2, 3]
    assert broken[2] == "it is no picture that Pillow knows"
    assert broken[3] == "No such file or directory"
    assert "truncated" in broken[1]
