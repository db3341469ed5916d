"""ObjectNet's fingerprint: what it tells, and which images are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.fingerprints.programs import change, counts, fetched, inspected, labels, measures, output, refused
from tests.objectnet_data.pictures import name, picture

ANSWERS = {1: 1, 2: 1, 3: 1, 4: 0, 5: 4}  # 1 and 4 are objects that ImageNet has, too
KINDS = "Kinds of pixels, among those read"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Five images with a border, two of the same object beside another."""
    folder = tmp_path / "objectnet"
    for number in ANSWERS:
        picture(folder / name(number), border=2, size=(20 + 10 * number, 30))
    (folder / "answers.json").write_text(json.dumps({name(number): label for number, label in ANSWERS.items()}))
    return folder


@pytest.fixture
def manifest(root: Path, tmp_path: Path) -> Path:
    return fetched("objectnet", root, tmp_path)


def test_what_the_images_are(manifest: Path) -> None:
    content = inspected("objectnet", manifest)
    assert counts(content) == {
        "images": (5, 50_273),
        "objects": (3, 313),
        "images of objects that ImageNet has, too": (4, 18_574),
    }
    assert measures(content) == {
        "images of an object": (1, 1, 3, 3),
        "width": (30, 50, 70, 5),
        "height": (30, 30, 30, 5),
        "mean brightness": (93.3333, 93.3333, 93.3333, 5),  # of the blue within the border: 20, 60, 200
    }
    assert labels(content) == {KINDS: {"RGB": 5}}
    assert content["notes"] == []


def test_images_without_answers_have_no_objects(root: Path, tmp_path: Path) -> None:
    (root / "answers.json").unlink()
    content = inspected("objectnet", fetched("objectnet", root, tmp_path))
    assert counts(content) == {"images": (5, 50_273)}
    assert "images of an object" not in measures(content)


def test_a_sample_is_of_different_objects(manifest: Path) -> None:
    content = inspected("objectnet", manifest, read=3)
    widths = measures(content)["width"]
    assert content["read"] == {"noun": "images", "of": 5, "read": 3, "whole": False}
    assert widths[1:] == (60, 70, 3)
    assert measures(content)["images of an object"] == (1, 1, 3, 3)
    first = output(manifest).read_bytes()
    inspected("objectnet", manifest, read=3)
    assert output(manifest).read_bytes() == first


def test_images_without_a_border_and_in_other_pixels_are_notes(root: Path, tmp_path: Path) -> None:
    picture(root / name(2), border=0)
    picture(root / name(3), border=2, colour=(250, 0, 0))
    Image.new("L", (24, 16), 90).save(root / name(5))
    content = inspected("objectnet", fetched("objectnet", root, tmp_path))
    bare = ", ".join(name(number) for number in (2, 3, 5))
    assert content["notes"] == [
        f"3 of 5 images lack the red border by which ObjectNet's are known: {bare}",
        f"1 of 5 images are not in colours of 8 bits: {name(5)} (L)",
    ]
    assert labels(content) == {KINDS: {"L": 1, "RGB": 4}}


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def _flipped(path: Path) -> None:
    """Of what the pixels' own part of the file holds, one bit."""
    noise = np.random.default_rng(3).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _text(path: Path) -> None:
    path.write_text("<html>403 Forbidden</html>")


def _other(path: Path) -> None:
    Image.new("RGB", (40, 30)).save(path, format="JPEG")


def _thin(path: Path) -> None:
    Image.new("RGB", (40, 4)).save(path)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_cut, "cannot be decoded as PNG ("),
        (_flipped, "cannot be decoded as PNG ("),
        (_text, "cannot be decoded as PNG ("),
        (_other, "cannot be decoded as PNG ("),
        (_thin, "is 40 x 4, with nothing inside its border"),
        (Path.unlink, "cannot be decoded as PNG (No such file or directory)"),
    ],
)
def test_a_bad_image_is_named(
    spoil: Callable[[Path], object], told: str, manifest: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(root / name(4))
    said = refused("objectnet", manifest, capsys)
    assert said.startswith(f"1 of 5 images in {root} cannot be used: {name(4)} {told}")
    assert str(root) not in said.removeprefix(f"1 of 5 images in {root}")


def test_a_release_that_did_not_come_whole_is_refused(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused("objectnet", change(manifest, source="remote"), capsys)
    assert "(images: 5 and not 50,273, objects: 3 and not 313, images of objects" in said
