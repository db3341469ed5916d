"""The fingerprint of a data set of Agri-Gaia's platform: what it tells, and which pictures are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.fingerprints.programs import counts, fetched, inspected, labels, measures, output, refused

META = "<meta><task><labels>{}</labels></task></meta>"
LABELS = ("oat", "beet", "weed", "unused")
BOX = '<box label="{}" xtl="{}" ytl="{}" xbr="{}" ybr="{}"/>'
POLYGON = '<polygon label="weed" points="10,10;30,10;10,30"/>'
SHAPES = {
    "1.jpg": BOX.format("oat", 10, 10, 30, 20) + BOX.format("beet", 0, 0, 40, 80) + POLYGON,
    "2.jpg": BOX.format("oat", 5, 5, 15, 30) + '<tag label="weed"/>',
    "3.png": '<tag label="weed"/>',
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three annotated pictures, and one without annotations."""
    folder = tmp_path / "datasets" / "5"
    (folder / "annotations").mkdir(parents=True)
    for number, file in enumerate((*SHAPES, "4.jpg")):
        Image.new("RGB", (100, 80), (30 * number, 30 * number, 30 * number)).save(folder / file)
    write(folder, SHAPES)
    return folder


def write(folder: Path, shapes: dict[str, str]) -> None:
    images = "".join(
        f'<image id="{number}" name="{file}" width="100" height="80">{inside}</image>'
        for number, (file, inside) in enumerate(shapes.items())
    )
    names = "".join(f"<label><name>{label}</name></label>" for label in LABELS)
    text = f"<annotations><version>1.1</version>{META.format(names)}{images}</annotations>"
    (folder / "annotations/annotations.xml").write_text(text)


@pytest.fixture
def manifest(root: Path, tmp_path: Path) -> Path:
    return fetched("agrigaia", root, tmp_path)


def test_what_the_data_set_is(manifest: Path) -> None:
    content = inspected("agrigaia", manifest)
    assert counts(content) == {"annotated pictures": (3, None), "pictures without annotations": (1, None)}
    assert labels(content) == {"Boxes": {"beet": 1, "oat": 2}, "Polygons": {"weed": 1}, "Tags": {"weed": 2}}
    found = measures(content)
    assert found["Boxes boxes of a picture"] == (0, 1, 2, 3)
    assert found["Boxes width"] == (10, 20, 40, 3)
    assert found["Boxes height"] == (10, 25, 80, 3)
    assert found["Boxes side, in relation to the picture's"] == pytest.approx(
        (100 * (200 / 8000) ** 0.5, 100 * (250 / 8000) ** 0.5, 100 * (3200 / 8000) ** 0.5, 3), rel=1e-5
    )
    assert found["Pictures width"] == (100, 100, 100, 4)
    assert found["Pictures mean brightness"] == (0, 45, 90, 4)
    assert content["notes"] == ["no picture has unused, although the annotations declare them"]


def test_a_picture_that_was_turned_counts_as_it_is_looked_at(root: Path, tmp_path: Path) -> None:
    turned = Image.new("RGB", (80, 100))
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(root / "2.jpg", exif=exif)
    found = measures(inspected("agrigaia", fetched("agrigaia", root, tmp_path)))
    assert found["Pictures width"] == (100, 100, 100, 4)
    assert found["Pictures height"] == (80, 80, 80, 4)


def test_a_data_set_without_boxes_has_no_measures_of_them(root: Path, tmp_path: Path) -> None:
    write(root, {"3.png": SHAPES["3.png"]})
    content = inspected("agrigaia", fetched("agrigaia", root, tmp_path))
    assert labels(content) == {"Tags": {"weed": 1}}
    assert sorted(measures(content)) == ["Pictures height", "Pictures mean brightness", "Pictures width"]


def test_a_sample_has_each_combination_of_labels(manifest: Path) -> None:
    content = inspected("agrigaia", manifest, read=3)
    assert content["read"] == {"noun": "pictures", "of": 4, "read": 3, "whole": False}
    assert measures(content)["Pictures width"][3] == 3
    assert measures(content)["Boxes width"][3] == 3
    first = output(manifest).read_bytes()
    inspected("agrigaia", manifest, read=3)
    assert output(manifest).read_bytes() == first


def test_complaints_of_fetch_are_a_note_without_paths(root: Path, tmp_path: Path) -> None:
    write(root, SHAPES | {"5.jpg": '<tag label="weed"/>'})
    (told, _) = inspected("agrigaia", fetched("agrigaia", root, tmp_path))["notes"]
    assert told.startswith("of pictures and annotations there are complaints (1): 5.jpg is annotated and not there")
    assert str(tmp_path) not in told


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def _text(path: Path) -> None:
    path.write_text("<html>403 Forbidden</html>")


def _size(path: Path) -> None:
    Image.new("RGB", (90, 80)).save(path)


@pytest.mark.parametrize(
    ("file", "spoil", "told"),
    [
        ("1.jpg", _cut, "1.jpg cannot be decoded ("),
        ("1.jpg", _text, "1.jpg cannot be read as a picture ("),
        ("4.jpg", _text, "4.jpg cannot be decoded ("),
        ("2.jpg", _size, "2.jpg is 90 x 80 and was annotated as 100 x 80;"),
        ("3.png", Path.unlink, "3.png cannot be read as a picture ("),
    ],
)
def test_a_bad_picture_is_named(
    file: str,
    spoil: Callable[[Path], object],
    told: str,
    manifest: Path,
    root: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoil(root / file)
    said = refused("agrigaia", manifest, capsys)
    assert said.startswith(f"1 of 4 pictures in {root} cannot be used: {told}")


def test_annotations_that_broke_meanwhile_are_named(
    manifest: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "annotations/annotations.xml").write_text("<annotations>")
    said = refused("agrigaia", manifest, capsys)
    assert said.startswith(f"{root}/annotations/annotations.xml is no sound XML")
