"""Which images the container is tried on, and where they lie."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from containers.objectnet.mapping import OVERLAP
from tests.objectnet_data.conftest import IMAGES, Fetched
from tests.objectnet_data.pictures import name, picture
from workflow.scripts.objectnet.cases import main
from workflow.scripts.objectnet.fetch import main as fetch


def lay(folder: Path, manifest: Path, most: int = 0) -> int:
    words = ["--manifest", str(manifest), "--most", str(most), "--folder", str(folder / "cases")]
    return main([*words, "--output", str(folder / "cases.json")])


def content(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "cases.json").read_text())
    return read


def there(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def error(capsys: pytest.CaptureFixture[str]) -> str:
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("error: ")
    return said.removeprefix("error: ")


def of_folder(folder: Path, count: int = 3) -> Path:
    for number in range(count):
        picture(folder / "photos" / name(number), 2)
    words = ["--source", str(folder / "photos"), "--scratch", str(folder / "raw")]
    assert fetch([*words, "--manifest", str(folder / "manifest.json")]) == 0
    return folder / "manifest.json"


@pytest.mark.parametrize("most", [0, IMAGES, 1000])
def test_all_images_are_used_where_they_lie(most: int, fetched: Fetched, tmp_path: Path) -> None:
    assert lay(tmp_path, fetched.manifest, most) == 0
    made = content(tmp_path)
    assert (made["schema"], made["source"], made["images"]) == (1, "demo", IMAGES)
    assert made["root"] == str(fetched.images)
    assert made["answers"] == fetched.content["answers"]
    assert there(tmp_path) == {"cases.json"}


def test_a_choice_has_its_share_of_what_imagenet_knows(fetched: Fetched, tmp_path: Path) -> None:
    assert lay(tmp_path, fetched.manifest, 9) == 0
    made = content(tmp_path)
    assert made["root"] == str(tmp_path / "cases")
    assert there(tmp_path / "cases") == set(made["answers"])
    assert len(made["answers"]) == made["images"] == 9
    assert sum(number in OVERLAP for number in made["answers"].values()) == 6
    for file, number in made["answers"].items():
        assert fetched.content["answers"][file] == number
        assert (tmp_path / "cases" / file).read_bytes() == (fetched.images / file).read_bytes()
    assert lay(tmp_path, fetched.manifest, 9) == 0
    assert content(tmp_path) == made


def test_a_smaller_choice_leaves_nothing_of_a_larger_one(fetched: Fetched, tmp_path: Path) -> None:
    assert lay(tmp_path, fetched.manifest, 9) == 0
    larger = there(tmp_path / "cases")
    (tmp_path / "cases/.torn.png").touch()
    assert lay(tmp_path, fetched.manifest, 2) == 0
    answers = content(tmp_path)["answers"]
    assert there(tmp_path / "cases") == set(answers)
    assert set(answers) < larger
    assert sorted(number in OVERLAP for number in answers.values()) == [False, True]


def test_both_kinds_are_in_a_choice_however_few_there_are(tmp_path: Path) -> None:
    labels = [52] + [65] * 9
    (tmp_path / "answers.json").write_text(json.dumps({name(index): label for index, label in enumerate(labels)}))
    manifest = of_folder(tmp_path, 10)
    assert lay(tmp_path, manifest, 3) == 0
    assert sorted(content(tmp_path)["answers"].values()) == [52, 65, 65]
    assert lay(tmp_path, manifest, 1) == 0
    assert list(content(tmp_path)["answers"].values()) == [65]


def test_images_without_an_answer_are_left_out(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (tmp_path / "answers.json").write_text(json.dumps({name(1): 52}))
    assert lay(tmp_path, of_folder(tmp_path)) == 0
    assert content(tmp_path)["answers"] == {name(1): 52}
    assert there(tmp_path / "cases") == {name(1)}


def test_without_any_answers_all_images_are_tried(tmp_path: Path) -> None:
    assert lay(tmp_path, of_folder(tmp_path)) == 0
    made = content(tmp_path)
    assert (made["root"], made["answers"], made["images"]) == (str(tmp_path / "photos"), {}, 3)
    assert lay(tmp_path, tmp_path / "manifest.json", 2) == 0
    assert content(tmp_path)["images"] == len(there(tmp_path / "cases")) == 2


def test_nested_images_are_used_in_place_and_chosen_ones_side_by_side(tmp_path: Path) -> None:
    for number, folder in enumerate(("chair", "tape", "banana")):
        picture(tmp_path / "photos" / folder / name(number), 2)
    manifest = of_folder(tmp_path, 0)
    assert lay(tmp_path, manifest) == 0
    assert content(tmp_path)["root"] == str(tmp_path / "photos")
    assert lay(tmp_path, manifest, 2) == 0
    assert there(tmp_path / "cases") == set(content(tmp_path)["answers"])
    assert set(content(tmp_path)["answers"].values()) in ({52, 264}, {4, 264})


def test_answers_in_the_folder_are_not_given_to_the_container(tmp_path: Path) -> None:
    manifest = of_folder(tmp_path)
    (tmp_path / "photos/answers.json").write_text(json.dumps({name(number): 1 for number in range(3)}))
    assert lay(tmp_path, of_folder(tmp_path)) == 0
    assert manifest.is_file()
    assert content(tmp_path)["root"] == str(tmp_path / "cases")
    assert there(tmp_path / "cases") == {name(0), name(1), name(2)}


def test_links_become_files_since_the_container_has_one_folder(tmp_path: Path) -> None:
    picture(tmp_path / "elsewhere" / name(9), 2)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / name(9)).symlink_to(tmp_path / "elsewhere" / name(9))
    assert lay(tmp_path, of_folder(tmp_path, 2)) == 0
    assert content(tmp_path)["root"] == str(tmp_path / "cases")
    laid = tmp_path / "cases" / name(9)
    assert not laid.is_symlink()
    assert laid.read_bytes() == (tmp_path / "elsewhere" / name(9)).read_bytes()


@pytest.mark.parametrize("stranger", ["notes.txt", "folder.png/"])
def test_a_folder_with_other_things_is_not_emptied(
    stranger: str, fetched: Fetched, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture(tmp_path / "cases/a.png")
    other = tmp_path / "cases" / stranger
    other.mkdir() if stranger.endswith("/") else other.touch()
    assert lay(tmp_path, fetched.manifest, 2) == 1
    assert error(capsys) == (
        f"--folder {tmp_path}/cases holds {other.name}, which is no image; name a folder that may be emptied"
    )
    assert there(tmp_path / "cases") == {"a.png", other.name}


def test_the_folder_with_the_images_is_not_emptied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = of_folder(tmp_path)
    for folder in (tmp_path / "photos", tmp_path, tmp_path / "photos/inner"):
        words = ["--manifest", str(manifest), "--most", "1", "--folder", str(folder)]
        assert main([*words, "--output", str(tmp_path / "cases.json")]) == 1
        assert error(capsys) == (
            f"--folder {folder} is emptied, and {tmp_path}/photos with the images shares it; name another folder"
        )
    assert len(there(tmp_path / "photos")) == 3


def test_what_cannot_be_is_refused(fetched: Fetched, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lay(tmp_path, fetched.manifest, -1) == 1
    assert error(capsys) == "--most is -1; give a number of images, or 0 for all"
    (tmp_path / "cases").touch()
    assert lay(tmp_path, fetched.manifest, 1) == 1
    assert error(capsys) == f"--folder {tmp_path}/cases is a file; name a folder that may be emptied"
    manifest = of_folder(tmp_path)
    (tmp_path / "photos" / name(1)).unlink()
    assert lay(tmp_path, manifest) == 1
    assert error(capsys) == f"{tmp_path}/photos/{name(1)} is not there any more; fetch the data again"
    assert not (tmp_path / "cases.json").exists()
