"""Names are looked up among the files that are there; sizes and links are checked."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from containers.agrigaia.common.pictures import find, link_names, match, named, odd_sizes, upright_size


def test_names_with_folders_mean_the_files_there_or_the_one_of_that_name() -> None:
    files = ["a.jpg", "images/day 1/b.jpg", "x/c.jpg", "y/c.jpg"]
    names = ["field/a.jpg", "day 1/b.jpg", "x/c.jpg", "y\\c.jpg"]
    assert match(names, files) == (dict(zip(names, files, strict=True)), [])


@pytest.mark.parametrize("name", ["../a.jpg", "/etc/a.jpg", "..\\..\\a.jpg", "b/../../a.jpg"])
def test_a_name_cannot_leave_the_data_set(name: str) -> None:
    assert match([name], ["a.jpg"]) == ({name: "a.jpg"}, [])
    assert match([name], ["b.jpg"])[0] == {}


def test_names_that_could_mean_several_files_are_told() -> None:
    found, complaints = match(["1.jpg", "z/2.jpg", "v/3.jpg", "w/3.jpg"], ["x/1.jpg", "y/1.jpg", "3.jpg"])
    assert found == {}
    assert complaints == [
        "1.jpg could be x/1.jpg or y/1.jpg, and 1 annotated images end so; keep the folders of CVAT's names",
        "z/2.jpg is annotated and not there; put the picture into the data set",
        "v/3.jpg could be 3.jpg, and 2 annotated images end so; keep the folders of CVAT's names",
        "w/3.jpg could be 3.jpg, and 2 annotated images end so; keep the folders of CVAT's names",
    ]


def test_a_file_is_used_once() -> None:
    found, complaints = match(["a.jpg", "images/a.jpg"], ["images/a.jpg"])
    assert found == {"a.jpg": "images/a.jpg"}
    assert complaints == ["images/a.jpg and another annotated image both mean images/a.jpg; the first counts"]


words = st.text("ab./\\", min_size=1, max_size=8)


@given(st.lists(words, max_size=8, unique=True), st.lists(st.sampled_from(["a", "b/a", "a.b", "b/b"]), unique=True))
def test_whatever_the_names_each_file_is_one_of_those_there(names: list[str], files: list[str]) -> None:
    found, complaints = match(names, files)
    assert set(found.values()) <= set(files)
    assert len(set(found.values())) == len(found)
    assert len(found) + len(complaints) == len(names)


def test_pictures_are_found_in_folders_and_nothing_else_is(tmp_path: Path) -> None:
    for name in ("b/c.PNG", "a.jpg", "b/annotations/d.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (2, 2)).save(tmp_path / name)
    for name in (".DS_Store", ".a.jpg", "annotations/e.jpg", ".cache/f.jpg", "folder.jpg/g.txt", "readme"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    names = ["a.jpg", "b/annotations/d.jpg", "b/c.PNG"]
    assert find(tmp_path) == ([tmp_path / name for name in names], [])


def test_links_out_of_the_data_set_are_left_out_and_those_within_are_not(tmp_path: Path) -> None:
    root = tmp_path / "1"
    root.mkdir()
    Image.new("RGB", (2, 2)).save(tmp_path / "secret.jpg")
    Image.new("RGB", (2, 2)).save(root / "a.jpg")
    (root / "b.jpg").symlink_to("a.jpg")
    (root / "c.jpg").symlink_to("../secret.jpg")
    (tmp_path / "2").symlink_to("1")  # the data set itself may be one
    for top in (root, tmp_path / "2"):
        files, complaints = find(top)
        assert files == [top / "a.jpg", top / "b.jpg"]
        assert complaints == [f"{top}/c.jpg is a link out of the data set; put the picture itself there"]


def test_links_get_names_that_differ_without_their_suffixes() -> None:
    names = link_names(["a.png", "a.jpg", "b/a.jpg", "A.jpg", "b/c.d.jpg"])
    assert names == {
        "A.jpg": "A.jpg",
        "a.jpg": "a-2.jpg",
        "a.png": "a-3.png",
        "b/a.jpg": "b/a.jpg",
        "b/c.d.jpg": "b/c.d.jpg",
    }


@given(st.lists(st.text("aA-2/", min_size=1, max_size=5).map(lambda stem: f"x{stem}x.jpg"), unique=True))
def test_no_two_labels_share_a_file(files: list[str]) -> None:
    stems = [name.rpartition(".")[0].lower() for name in link_names(files).values()]
    assert len(set(stems)) == len(files)


def test_a_picture_counts_as_its_camera_held_it(tmp_path: Path) -> None:
    picture = Image.new("RGB", (60, 40))
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / "a.jpg", exif=exif)
    assert upright_size(tmp_path / "a.jpg") == (40, 60)
    assert odd_sizes({tmp_path / "a.jpg": (40, 60)}) == {}
    (tmp_path / "b.jpg").write_bytes(b"no picture")
    assert odd_sizes({tmp_path / "a.jpg": (60, 40), tmp_path / "b.jpg": (1, 1)}) == {
        tmp_path / "a.jpg": f"{tmp_path}/a.jpg is 40 x 60 and was annotated as 60 x 40; take both from one export",
        tmp_path / "b.jpg": (
            f"{tmp_path}/b.jpg cannot be read as a picture (cannot identify image file '{tmp_path}/b.jpg'); "
            "put it there again"
        ),
    }


def test_long_lists_are_cut() -> None:
    assert named(["a", "b", "c"], most=2) == ["a", "b", "and 1 more"]
    assert named(["a", "b"], most=2) == ["a", "b"]
