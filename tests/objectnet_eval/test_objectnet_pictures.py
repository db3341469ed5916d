"""Finding and reading photos: every kind of PNG, without its border, and what cannot be read is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from containers.kit.errors import UserError
from containers.objectnet import pictures
from containers.objectnet.objectnet_eval import main
from tests.objectnet_eval import parts

Capture = pytest.CaptureFixture[str]


def test_photos_of_all_folders_are_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("z/a.png", "b.png", "deep/er/c.png", ".hidden/d.png", "z/.e.png", "f.PNG", "g.jpg", "h.png.txt"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).touch()
    (tmp_path / "in" / "z" / "round").symlink_to(tmp_path / "in")
    (tmp_path / "linked").symlink_to(tmp_path / "in")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "0.png").touch()
    (tmp_path / "in" / "away").symlink_to(tmp_path / "more")
    assert [path.name for path in pictures.find(tmp_path / "linked")] == ["0.png", "a.png", "b.png", "c.png"]


def test_a_name_of_two_lines_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a\nb.png").touch()
    with pytest.raises(UserError, match=r"a photo's name must be one line; rename 'a\\nb.png'"):
        pictures.find(tmp_path)


def rgba(photo: Image.Image) -> Image.Image:
    made = photo.convert("RGBA")
    made.putalpha(Image.new("L", photo.size, 30))
    return made


KINDS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "RGB": lambda photo: photo,
    "RGBA, nearly transparent": rgba,
    "palette": lambda photo: photo.quantize(32),  # the photo has no more colours
    "grey": lambda photo: photo.convert("L"),
    "grey with alpha": lambda photo: photo.convert("LA"),
    "16 bits of grey": lambda photo: Image.fromarray(np.asarray(photo.convert("L")).astype(np.uint16) * 257),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_png_is_read(tmp_path: Path, kind: str) -> None:
    photo = parts.noise(1, (40, 30))
    KINDS[kind](parts.bordered(photo)).save(tmp_path / "a.png")
    expected = photo.convert("L").convert("RGB") if "grey" in kind else photo
    got = pictures.decode(tmp_path / "a.png")
    assert (got.mode, got.size) == ("RGB", (40, 30))
    np.testing.assert_array_equal(np.asarray(got), np.asarray(expected))
    assert pictures.decode(tmp_path / "a.png", border=0).size == (44, 34)


def test_the_border_has_no_say(tmp_path: Path, weights: Path) -> None:
    """A photo so small that a border which stays changes every number: its colour must change nothing."""
    (tmp_path / "in").mkdir()
    photo = parts.noise(3, (12, 12))
    colours = {"red": (255, 0, 0), "green": (0, 255, 0), "white": (255, 255, 255)}
    for name, colour in colours.items():
        parts.bordered(photo, colour).save(tmp_path / "in" / f"{name}.png")
        # The same photo, with that colour inside of a border which is cut off.
        parts.bordered(parts.bordered(photo, colour)).save(tmp_path / "in" / f"{name}_inside.png")
    assert main([str(tmp_path / "in"), str(tmp_path / "p.csv"), "Tiny", str(weights), "--precision=fp32"]) == 0
    found = parts.rows(tmp_path / "p.csv")
    assert found["red.png"] == found["green.png"] == found["white.png"]
    assert len({tuple(found[f"{name}_inside.png"]) for name in colours}) == 3, "where it stays, it counts"


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def no_picture(path: Path) -> None:
    path.write_bytes(b"<html>")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def all_border(path: Path) -> None:
    Image.new("RGB", (4, 9)).save(path)


def dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (truncated, ""),
        (no_picture, "it is no picture that Pillow knows"),
        (empty, "it is no picture that Pillow knows"),
        (all_border, "it is 4 x 9, with nothing inside its border"),
        (dangling, "No such file or directory"),
        (flipped, ""),
    ],
)
def test_what_cannot_be_read_has_a_row_of_nothing(
    tmp_path: Path, weights: Path, capsys: Capture, damage: Callable[[Path], None], why: str
) -> None:
    folder = parts.folder_of(tmp_path / "in", 5)
    damage(folder / "002.png")
    words = [str(folder), str(tmp_path / "p.csv"), "Tiny", str(weights), "--batch_size=2"]
    assert main(words) == 3
    found = parts.rows(tmp_path / "p.csv")
    assert found.pop("002.png") == parts.NOTHING
    assert len(found) == 4
    assert parts.NOTHING not in found.values()
    told = capsys.readouterr()
    assert "Done. Number of predictions:  5\n" in told.out
    assert f"warning: {folder / '002.png'} counts as unreadable: {why}" in told.err
    last = "warning: 1 of 5 photos could not be read, and their rows are -1: 002.png"
    assert told.err.splitlines()[-1] == last


def test_all_unreadable(tmp_path: Path, weights: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in "abc":
        (tmp_path / "in" / f"{name}.png").touch()
    assert main([str(tmp_path / "in"), str(tmp_path / "p.csv"), "Tiny", str(weights), "--batch_size=2"]) == 3
    assert parts.rows(tmp_path / "p.csv") == {f"{name}.png": parts.NOTHING for name in "abc"}


def test_an_answer_that_is_no_number_is_that_photos_alone(tmp_path: Path, weights: Path, capsys: Capture) -> None:
    folder = parts.folder_of(tmp_path / "in", 4)
    Image.new("RGB", (300, 300), (255, 255, 255)).save(folder / "bright.png")
    assert main([str(folder), str(tmp_path / "p.csv"), "Numberless", str(weights)]) == 3
    found = parts.rows(tmp_path / "p.csv")
    assert [name for name, row in found.items() if row == parts.NOTHING] == ["bright.png"]
    assert "bright.png counts as unreadable: what the network says of it is no number" in capsys.readouterr().err
