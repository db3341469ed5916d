"""A data set as the platform mounts it: linked, used in place, replaced, and never out of its folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.agrigaia_data.conftest import box, image
from tests.agrigaia_package.conftest import error
from workflow.scripts.agrigaia import fetch, lay_out

XML = Path("annotations") / "annotations.xml"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """As CVAT exports it: pictures in a folder, annotations beside it."""
    root = tmp_path / "export"
    names = ("a.jpg", "sub/b.jpg", "bare.jpg")
    for number, name in enumerate(names):
        (root / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (100, 80), (number, 90, 0)).save(root / "images" / name)
    images = image("a.jpg", box("oat", 1, 1, 9, 9)) + image("sub/b.jpg", box("oat", 1, 1, 9, 9), 1)
    labels = "<meta><task><labels><label><name>oat</name></label></labels></task></meta>"
    (root / "annotations.xml").write_text(f"<annotations>{labels}{images}</annotations>")
    return root


def fetched(tmp_path: Path, root: Path) -> Path:
    manifest = tmp_path / "raw" / "manifest.json"
    words = ["--source", str(root), "--scratch", str(tmp_path / "raw"), "--manifest", str(manifest)]
    assert fetch.main([*words, "--workers", "1"]) == 0
    return manifest


def laid_out(tmp_path: Path, manifest: Path, folder: str = "minio") -> int:
    words = ["--manifest", str(manifest), "--folder", str(tmp_path / folder)]
    return lay_out.main([*words, "--output", str(tmp_path / "raw" / "minio.json")])


def record(tmp_path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((tmp_path / "raw" / "minio.json").read_text())
    return content


def test_pictures_are_linked_with_their_folders_and_the_annotations_get_theirs(tmp_path: Path, root: Path) -> None:
    before = {path: path.stat().st_ino for path in root.rglob("*.*") if path.is_file()}
    manifest = fetched(tmp_path, root)
    assert laid_out(tmp_path, manifest) == 0
    place = tmp_path / "minio" / "datasets" / "1"
    there = {str(path.relative_to(place)): path for path in place.rglob("*") if path.is_file()}
    assert sorted(there) == [str(XML), "images/a.jpg", "images/bare.jpg", "images/sub/b.jpg"]
    assert there[str(XML)].samefile(root / "annotations.xml")
    assert there["images/sub/b.jpg"].samefile(root / "images" / "sub" / "b.jpg")
    assert {path: path.stat().st_ino for path in root.rglob("*.*") if path.is_file()} == before
    assert record(tmp_path) == {
        **{"schema": 1, "source": "folder", "root": str(tmp_path / "minio"), "dataset_id": "1", "pictures": 3},
        "fingerprint": json.loads(manifest.read_text())["fingerprint"],
    }


def test_a_second_run_with_other_data_replaces(tmp_path: Path, root: Path) -> None:
    assert laid_out(tmp_path, fetched(tmp_path, root)) == 0
    first = record(tmp_path)
    (root / "images" / "bare.jpg").unlink()
    (root / "images" / "a.jpg").write_bytes((root / "images" / "sub" / "b.jpg").read_bytes() + b"\0")
    assert laid_out(tmp_path, fetched(tmp_path, root)) == 0
    place = tmp_path / "minio" / "datasets" / "1" / "images"
    assert sorted(str(path.relative_to(place)) for path in place.rglob("*.jpg")) == ["a.jpg", "sub/b.jpg"]
    assert record(tmp_path)["fingerprint"] != first["fingerprint"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["export", "minio", "raw"]


def test_data_that_lie_so_already_are_used_in_place(tmp_path: Path, root: Path) -> None:
    assert laid_out(tmp_path, fetched(tmp_path, root)) == 0
    mine = tmp_path / "mine" / "datasets" / "1"
    shutil.copytree(tmp_path / "minio" / "datasets" / "1", mine)
    assert laid_out(tmp_path, fetched(tmp_path, mine)) == 0
    assert record(tmp_path)["root"] == str(tmp_path / "mine")
    assert not (tmp_path / "minio").exists()
    assert len(list(mine.rglob("*.jpg"))) == 3
    (mine.parent / "2").mkdir()  # another data set is none of this container's
    assert laid_out(tmp_path, fetched(tmp_path, mine)) == 0
    assert record(tmp_path)["root"] == str(tmp_path / "minio")
    assert [path.name for path in (tmp_path / "minio" / "datasets").iterdir()] == ["1"]


def test_a_link_within_the_data_set_comes_as_the_file(tmp_path: Path, root: Path) -> None:
    (root / "images" / "bare.jpg").unlink()
    (root / "images" / "bare.jpg").symlink_to(root / "images" / "a.jpg")
    assert laid_out(tmp_path, fetched(tmp_path, root)) == 0
    found = tmp_path / "minio" / "datasets" / "1" / "images" / "bare.jpg"
    assert not found.is_symlink()
    assert found.read_bytes() == (root / "images" / "a.jpg").read_bytes()


def test_a_link_out_of_the_data_set_is_refused(tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = fetched(tmp_path, root)
    (root / "images" / "bare.jpg").unlink()
    (root / "images" / "bare.jpg").symlink_to("/etc/hostname")
    capsys.readouterr()
    said = f"{root}/images/bare.jpg is a link out of the data set; put the file itself there"
    assert error(capsys, laid_out(tmp_path, manifest)) == said
    content = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**content, "unannotated": ["../raw/manifest.json"]}))
    assert error(capsys, laid_out(tmp_path, manifest)).startswith(f"{root}/../raw/manifest.json is a link out of")
    assert not (tmp_path / "minio").exists()


def test_a_foreign_folder_is_not_emptied(tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = fetched(tmp_path, root)
    capsys.readouterr()
    said = error(capsys, laid_out(tmp_path, manifest, "export"))
    assert said.startswith(f"--folder {root} holds ")
    assert said.endswith("which is not of its making; name another folder")
    assert (root / "images" / "a.jpg").is_file()
    (tmp_path / "file").touch()
    assert error(capsys, laid_out(tmp_path, manifest, "file")).startswith(f"--folder {tmp_path}/file holds file")
    (tmp_path / "empty").mkdir()
    assert laid_out(tmp_path, manifest, "empty") == 0


def test_what_is_gone_or_no_manifest_is_told(tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = fetched(tmp_path, root)
    (root / "images" / "a.jpg").unlink()
    capsys.readouterr()
    said = f"{root}/images/a.jpg is gone; run the rule that fetches again"
    assert error(capsys, laid_out(tmp_path, manifest)) == said
    manifest.write_text('{"root": "/"}')
    assert error(capsys, laid_out(tmp_path, manifest)) == (
        f"{manifest} is no manifest of Agri-Gaia; run the rule that fetches"
    )
