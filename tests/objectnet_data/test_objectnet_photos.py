"""The photos that networks are chosen by: the packaged ones, and a folder's, by their names or their folders' names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.objectnet_data.conftest import Fetched
from tests.objectnet_data.pictures import picture
from workflow.scripts.objectnet.photos import main


def listed(folder: Path, photos: str | Path) -> int:
    words = ["--photos", str(photos), "--scratch", str(folder / "raw")]
    return main([*words, "--output", str(folder / "photos.json")])


def content(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "photos.json").read_text())
    return read


def classes(folder: Path) -> dict[str, int]:
    return {photo["file"]: photo["class"] for photo in content(folder)["photos"]}


def test_the_packaged_photos(fetched: Fetched, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "packages").symlink_to(fetched.scratch.parent / "packages")
    assert listed(tmp_path, "package") == 0
    made = content(tmp_path)
    assert (made["schema"], made["kind"], len(made["photos"])) == (1, "imagenet", 20)
    root = Path(made["root"])
    assert root.is_relative_to(tmp_path / "raw")
    for photo in made["photos"]:
        assert photo["file"].endswith(f"_{photo['class']}.jpg")
        with Image.open(root / photo["file"]) as image:
            assert min(image.size) >= 512
    assert classes(tmp_path)["imagenet_01_559.jpg"] == 559
    assert "20 photos of 19 classes of ImageNet" in capsys.readouterr().out
    first = (tmp_path / "photos.json").read_bytes()
    assert listed(tmp_path, "package") == 0
    assert (tmp_path / "photos.json").read_bytes() == first


def test_a_folder_whose_files_name_their_classes(tmp_path: Path) -> None:
    for file in ("cat_281.jpg", "a_b_0.PNG", "x_999.jpeg", "7.jpg"):
        picture(tmp_path / "photos" / file)
    (tmp_path / "photos/README.md").touch()
    assert listed(tmp_path, tmp_path / "photos") == 0
    assert classes(tmp_path) == {"cat_281.jpg": 281, "a_b_0.PNG": 0, "x_999.jpeg": 999, "7.jpg": 7}


def test_folders_that_are_named_by_numbers(tmp_path: Path) -> None:
    for file in ("281/a.jpg", "281/b_7.png", "007/c.JPEG"):
        picture(tmp_path / "photos" / file)
    assert listed(tmp_path, tmp_path / "photos") == 0
    assert classes(tmp_path) == {"007/c.JPEG": 7, "281/a.jpg": 281, "281/b_7.png": 281}


def test_a_thousand_folders_that_are_named_by_ids(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo = picture(tmp_path / "one.jpg")
    ids = [f"n{1440764 + 7 * number:08d}" for number in range(1000)]
    for folder in reversed(ids):
        (tmp_path / "photos" / folder).mkdir(parents=True)
        (tmp_path / "photos" / folder / "ILSVRC2012_val_00000001.JPEG").hardlink_to(photo)
    assert listed(tmp_path, tmp_path / "photos") == 0
    assert classes(tmp_path) == {f"{id_}/ILSVRC2012_val_00000001.JPEG": number for number, id_ in enumerate(ids)}
    (tmp_path / "photos" / ids[5] / "ILSVRC2012_val_00000001.JPEG").unlink()
    capsys.readouterr()
    assert listed(tmp_path, tmp_path / "photos") == 1
    assert "has photos in 999 folders named by ImageNet's ids; only all 1000 tell" in capsys.readouterr().err


def test_the_fingerprint_is_that_of_the_photos(tmp_path: Path) -> None:
    prints = set()
    for folder, size in (("one", 24), ("two", 24), ("three", 25)):
        picture(tmp_path / folder / "cat_281.jpg", size=(size, 16))
        (tmp_path / folder / "cat_281.jpg").open("ab").write(b"\0" * (size - 24))
        assert listed(tmp_path, tmp_path / folder) == 0
        prints.add(content(tmp_path)["fingerprint"])
    assert len(prints) == 2


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([], "holds no .jpg, .jpeg, .png; name a folder of photos"),
        (["a.jpg", "b_1.jpg"], "has names without a class (a.jpg); name them NAME_<0 to 999>.jpg"),
        (["a_1000.jpg"], "has names without a class (a_1000.jpg); name them NAME_<0 to 999>.jpg"),
        (["a_1.jpg", "2/b.jpg"], "has photos of its own and others in folders; have them in one way"),
        (
            ["cat/a.jpg", "1/b.jpg"],
            "has folders that name no class (1, cat); name them 0 to 999, or all 1000 by ImageNet's ids",
        ),
        (
            ["n01440764/a.jpg"],
            "has photos in 1 folders named by ImageNet's ids; only all 1000 tell the classes' numbers, so name them by "
            "numbers",
        ),
    ],
)
def test_photos_without_a_class_are_refused(
    files: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "photos").mkdir()
    for file in files:
        picture(tmp_path / "photos" / file)
    assert listed(tmp_path, tmp_path / "photos") == 1
    assert capsys.readouterr().err == f"error: --photos {tmp_path}/photos {said}\n"
    assert not (tmp_path / "photos.json").exists()


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert listed(tmp_path, tmp_path / "photos") == 1
    assert capsys.readouterr().err == (
        f"error: --photos {tmp_path}/photos is neither 'package' nor a folder; name a folder of photos\n"
    )
