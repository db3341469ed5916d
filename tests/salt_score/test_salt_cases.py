"""The container's input: which images lie there, and what beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.salt_container import parts
from workflow.scripts.salt import cases as command


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return parts.data(tmp_path / "raw", train=1, test=9)


def lay(manifest: Path, *words: str) -> int:
    folder, output = manifest.parent / "cases", manifest.parent / "cases.json"
    return command.main(["--manifest", str(manifest), "--folder", str(folder), "--output", str(output), *words])


def content(manifest: Path, name: str = "cases.json") -> dict[str, Any]:
    content: dict[str, Any] = json.loads((manifest.parent / name).read_text())
    return content


def there(manifest: Path) -> list[str]:
    return sorted(path.name for path in (manifest.parent / "cases").iterdir())


def test_all_images_lie_side_by_side(manifest: Path) -> None:
    assert lay(manifest) == 0
    data = content(manifest, "manifest.json")
    ids = [entry["id"] for entry in data["test"]]
    assert content(manifest) == {"schema": 1, "root": str(manifest.parent / "cases"), "ids": ids}
    assert there(manifest) == sorted(f"{name}.png" for name in ids)
    for entry in data["test"]:
        own = manifest.parent / "cases" / f"{entry['id']}.png"
        assert own.read_bytes() == (Path(data["root"]) / entry["image"]).read_bytes()


def test_a_choice_of_them_is_always_the_same(manifest: Path) -> None:
    assert lay(manifest, "--most", "4") == 0
    first = content(manifest)["ids"]
    assert len(first) == 4
    assert first == sorted(first)
    assert lay(manifest, "--most", "3", "--depth") == 0
    assert set(content(manifest)["ids"]) < set(first)
    assert lay(manifest, "--most", "4") == 0
    assert content(manifest)["ids"] == first
    assert there(manifest) == [f"{name}.png" for name in first]


def test_depths_lie_beside_them_where_they_are_known(manifest: Path) -> None:
    data = content(manifest, "manifest.json")
    data["test"][2]["z"] = None
    parts.write(manifest, data)
    assert lay(manifest, "--depth") == 0
    lines = (manifest.parent / "cases" / "depths.csv").read_text().splitlines()
    known = [entry for entry in data["test"] if entry["z"] is not None]
    assert lines == ["id,z", *(f"{entry['id']},{entry['z']}" for entry in known)]
    assert len(known) == 8


@pytest.mark.parametrize("name", ["competition", "competition/test/images", "."])
def test_the_folder_of_the_data_is_not_emptied(manifest: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(manifest.parent.rglob("*"))
    assert lay(manifest, "--folder", str(manifest.parent / name)) == 1
    assert f"is emptied, and {manifest.parent / 'competition'} with the images shares it" in capsys.readouterr().err
    assert sorted(manifest.parent.rglob("*")) == before


def test_a_folder_with_other_things_is_not_emptied(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (manifest.parent / "cases").mkdir()
    for name in ("depths.csv", "a.png", "thesis.csv"):
        (manifest.parent / "cases" / name).touch()
    assert lay(manifest) == 1
    assert "holds thesis.csv, which is no image; name a folder that may be emptied" in capsys.readouterr().err
    assert len(there(manifest)) == 3


def test_an_image_that_is_gone_is_one_sentence(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = content(manifest, "manifest.json")
    gone = Path(data["root"]) / data["test"][3]["image"]
    gone.unlink()
    assert lay(manifest) == 1
    assert f"error: {gone} cannot be laid out in {manifest.parent}/cases (No such file" in capsys.readouterr().err
    assert not (manifest.parent / "cases.json").exists()


def test_a_negative_number_is_one_sentence(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lay(manifest, "--most", "-1") == 1
    assert "error: --most is -1; give a number of images, or 0 for all" in capsys.readouterr().err
