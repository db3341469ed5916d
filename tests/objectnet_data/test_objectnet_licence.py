"""No image of ObjectNet gets to where networks are chosen, whatever it is called and wherever it lies."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from containers.kit.errors import UserError
from tests.objectnet_data.conftest import Fetched
from tests.objectnet_data.pictures import name, picture
from workflow.scripts.objectnet.licence import CLAUSES, refuse, refuse_folders
from workflow.scripts.objectnet.photos import main

CLAUSE = f"clause 1 of its licence forbids that: {CLAUSES[1]}"


def refused(photo: Path, why: str) -> None:
    with pytest.raises(UserError) as caught:
        refuse([photo], "--photos x")
    assert str(caught.value) == f"--photos x gives {photo}, which {why}; {CLAUSE}; choose by photos of another source"


def test_other_photos_pass(tmp_path: Path) -> None:
    photos = [
        picture(tmp_path / "a_3.png"),
        picture(tmp_path / "b_3.jpg", 2),
        picture(tmp_path / "c_3.png", 1, colour=(254, 0, 0)),
        picture(tmp_path / "d_3.png", 1, colour=(255, 1, 0)),
        picture(tmp_path / "ILSVRC2012_val_00000001.png"),
        picture(tmp_path / "0123456789abcde.jpg"),
        picture(tmp_path / "0123456789abcdef.png"),
        picture(tmp_path / "objectnet/3/a.png"),
    ]
    (tmp_path / "broken_3.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    refuse([*photos, tmp_path / "broken_3.png"], "--photos x")


@pytest.mark.parametrize("border", [1, 2, 5])
def test_a_red_border_is_seen(border: int, tmp_path: Path) -> None:
    refused(picture(tmp_path / "in/cat_3.png", border), "has the red border of ObjectNet's images")


@pytest.mark.parametrize("side", [(5, 0, 6, 1), (5, 15, 6, 16), (0, 5, 1, 6), (23, 5, 24, 6)])
def test_a_border_has_four_sides(side: tuple[int, int, int, int], tmp_path: Path) -> None:
    photo = picture(tmp_path / "in/cat_3.png", 1)
    with Image.open(photo) as opened:
        image = opened.copy()
    image.paste((0, 0, 0), side)
    image.save(photo)
    refuse([photo], "--photos x")


def test_a_png_is_known_by_its_bytes_and_not_by_its_name(tmp_path: Path) -> None:
    photo = picture(tmp_path / "in/cat_3.png", 2)
    refused(photo.rename(tmp_path / "in/cat_3.jpg"), "has the red border of ObjectNet's images")


def test_transparent_and_grey_pngs_are_looked_at_too(tmp_path: Path) -> None:
    with Image.open(picture(tmp_path / "in/cat_3.png", 2)) as opened:
        image = opened.convert("RGBA")
    image.save(tmp_path / "in/cat_3.png")
    refused(tmp_path / "in/cat_3.png", "has the red border of ObjectNet's images")
    image.convert("RGB").quantize().save(tmp_path / "in/cat_3.png")
    refused(tmp_path / "in/cat_3.png", "has the red border of ObjectNet's images")
    image.convert("L").save(tmp_path / "in/cat_3.png")
    refuse([tmp_path / "in/cat_3.png"], "--photos x")


@pytest.mark.parametrize("given", ["0123456789abcde.png", "ABCDEF012345678.PNG"])
def test_a_name_of_hex_digits_is_seen(given: str, tmp_path: Path) -> None:
    refused(picture(tmp_path / "in" / given), "is named as ObjectNet's images are, by 15 hex digits and .png")


@pytest.mark.parametrize("folder", ["objectnet-1.0", "objectnet-1.0-beta", "ObjectNet-1.0"])
def test_a_photo_below_a_release_is_seen_by_the_folders_name(folder: str, tmp_path: Path) -> None:
    photo = picture(tmp_path / folder / "images/chair/cat_3.jpg")
    refused(photo, f"lies below {tmp_path / folder}, a release of ObjectNet")


def test_a_photo_below_a_release_is_seen_by_its_mapping(tmp_path: Path) -> None:
    (tmp_path / "data/mappings").mkdir(parents=True)
    (tmp_path / "data/mappings/objectnet_to_imagenet_1k.json").write_text("{}")
    refused(picture(tmp_path / "data/images/cat_3.jpg"), f"lies below {tmp_path / 'data'}, a release of ObjectNet")


def test_a_link_is_judged_by_what_it_leads_to(tmp_path: Path) -> None:
    there = picture(tmp_path / "objectnet-1.0/images/chair/a.jpg")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/cat_3.jpg").symlink_to(there)
    refused(tmp_path / "in/cat_3.jpg", f"lies below {tmp_path / 'objectnet-1.0'}, a release of ObjectNet")
    (tmp_path / "linked").symlink_to(there.parent)
    refused(tmp_path / "linked/a.jpg", f"lies below {tmp_path / 'objectnet-1.0'}, a release of ObjectNet")
    os.link(picture(tmp_path / "other" / name(1), 2), tmp_path / "in/dog_3.png")
    refused(tmp_path / "in/dog_3.png", "has the red border of ObjectNet's images")


def test_demo_images_count_as_objectnets(fetched: Fetched, tmp_path: Path) -> None:
    original = min(fetched.images.iterdir())
    refused(original, "is named as ObjectNet's images are, by 15 hex digits and .png")
    (tmp_path / "in").mkdir()
    renamed = Path(shutil.copy(original, tmp_path / "in/chair_559.png"))
    refused(renamed, "has the red border of ObjectNet's images")


def test_the_command_that_lists_photos_refuses_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture(tmp_path / "photos/cat_3.png")
    bad = picture(tmp_path / "photos/dog_4.png", 2)
    words = ["--photos", str(tmp_path / "photos"), "--scratch", str(tmp_path / "raw")]
    assert main([*words, "--output", str(tmp_path / "photos.json")]) == 1
    assert capsys.readouterr().err == (
        f"error: --photos {tmp_path}/photos gives {bad}, which has the red border of ObjectNet's images; {CLAUSE}; "
        "choose by photos of another source\n"
    )
    assert not (tmp_path / "photos.json").exists()
    bad.unlink()
    assert main([*words, "--output", str(tmp_path / "photos.json")]) == 0
    assert json.loads((tmp_path / "photos.json").read_text())["photos"] == [{"file": "cat_3.png", "class": 3}]


@pytest.mark.parametrize(
    ("source", "photos", "how"),
    [
        ("data/objectnet", "data/objectnet", "is"),
        ("data/objectnet", "data/../data/objectnet/", "is"),
        ("data/objectnet", "data/objectnet/images/chair", "lies inside"),
        ("data/objectnet", "data", "holds"),
        ("data/objectnet", ".", "holds"),
    ],
)
def test_folders_that_share_images_are_refused_by_their_paths(
    source: str, photos: str, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for one, other in ((source, photos), (str(tmp_path / source), photos), (source, str(tmp_path / photos))):
        with pytest.raises(UserError) as caught:
            refuse_folders(one, other)
        assert str(caught.value) == (
            f"challenges.objectnet.train.photos ({other}) {how} challenges.objectnet.source ({one}); {CLAUSE}; "
            "set photos to 'package' or to a folder of other photos"
        )


def test_a_link_to_the_source_is_the_source(tmp_path: Path) -> None:
    (tmp_path / "objectnet").mkdir()
    (tmp_path / "imagenet").symlink_to(tmp_path / "objectnet")
    with pytest.raises(UserError, match=r"challenges\.objectnet\.train\.photos .* is challenges\.objectnet\.source"):
        refuse_folders(str(tmp_path / "objectnet"), str(tmp_path / "imagenet"))


@pytest.mark.parametrize(
    ("source", "photos"),
    [
        ("demo", "package"),
        ("remote", "package"),
        ("data/objectnet", "package"),
        ("package", "package"),
        ("demo", "data"),
        ("demo", "demo"),
        ("remote", "remote"),
        ("data/objectnet", "data/objectnet2"),
        ("data/objectnet", "data/imagenet"),
    ],
)
def test_folders_that_share_nothing_pass(
    source: str, photos: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refuse_folders(source, photos)
    assert list(tmp_path.iterdir()) == []
