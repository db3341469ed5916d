"""Folders with what Kaggle gives: each layout, unpacked or zipped, gives the same; only --scratch is written to."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.salt_data import layouts
from tests.salt_data.conftest import TEST, TRAIN, Fetched, error, fetch, snapshot
from workflow.scripts.remote.unpack_plan import Box, Member
from workflow.scripts.remote.unpack_write import Place

ZIPPED = (layouts.old, layouts.current, layouts.mac)
UNPACKED = (layouts.unpacked, layouts.current_unpacked)


def same(made: Fetched, fetched: Fetched) -> None:
    """All that the manifests say but where it lies."""
    wanted, found = fetched.content, made.content
    assert found.pop("source") == "folder"
    for content in (wanted, found):
        content.pop("root")
        content.pop("source", None)
    assert found == wanted
    for entry in (*found["train"], *found["test"]):
        for path in (entry["image"], entry.get("mask", entry["image"])):
            assert (made.root / path).read_bytes() == (fetched.root / path).read_bytes()


@pytest.mark.parametrize("layout", [*ZIPPED, *UNPACKED])
def test_each_layout_gives_the_same(layout: Callable[[Path, Path], Path], fetched: Fetched, tmp_path: Path) -> None:
    source = layout(fetched.root, tmp_path / "kaggle")
    before = snapshot(source)
    assert fetch(tmp_path / "out", source) == 0
    assert snapshot(source) == before
    made = Fetched(tmp_path / "out")
    same(made, fetched)
    scratch = tmp_path / "out/raw"
    if layout in UNPACKED:
        assert made.root in (source, source / "competition_data")
        assert not scratch.exists()
    else:
        (only,) = scratch.iterdir()
        assert only.name.startswith("unpacked-")
        assert made.root in (only, only / "competition_data")
        assert not [path for path in only.rglob("*") if path.suffix == ".zip" or path.name.startswith((".", "__"))]


@pytest.mark.parametrize("layout", [layouts.unpacked, layouts.old])
def test_a_folder_above_or_relative_will_do(
    layout: Callable[[Path, Path], Path], fetched: Fetched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout(fetched.root, tmp_path / "data/kaggle")
    monkeypatch.chdir(tmp_path / "data")
    assert fetch(tmp_path / "out", "kaggle") == 0
    same(Fetched(tmp_path / "out"), fetched)
    if layout is layouts.unpacked:
        monkeypatch.chdir(tmp_path)
        assert fetch(tmp_path / "out", "data") == 0
        assert Fetched(tmp_path / "out").root == tmp_path / "data/kaggle"


def test_zips_are_unpacked_once_and_again_when_they_change(fetched: Fetched, tmp_path: Path) -> None:
    source = layouts.old(fetched.root, tmp_path / "kaggle")
    assert fetch(tmp_path, source) == 0
    before = snapshot(tmp_path / "raw")
    assert fetch(tmp_path, source) == 0
    assert snapshot(tmp_path / "raw") == before
    first = Fetched(tmp_path).root
    with zipfile.ZipFile(source / "test.zip", "a") as archive:
        archive.writestr("notes.txt", "changed")
    assert fetch(tmp_path, source) == 0
    second = Fetched(tmp_path).root
    assert second != first
    assert (second / "test/notes.txt").read_text() == "changed"


def test_the_outermost_of_several_zips_is_taken(fetched: Fetched, tmp_path: Path) -> None:
    source = layouts.current(fetched.root, tmp_path / "kaggle")
    with zipfile.ZipFile(source / f"{layouts.COMPETITION}.zip") as archive:
        archive.extractall(source)
    assert fetch(tmp_path, source) == 0
    same(Fetched(tmp_path), fetched)
    (source / f"{layouts.COMPETITION}.zip").unlink()
    assert fetch(tmp_path, source) == 0  # depths.csv lies beside the zip now, not in it
    same(Fetched(tmp_path), fetched)


def test_an_interrupted_unpacking_is_gone_on_with(
    fetched: Fetched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = layouts.old(fetched.root, tmp_path / "kaggle")
    written: list[str] = []
    write, most = Place.write, TRAIN * 2 + TEST // 2  # it breaks off in the second zip

    def stopping(self: Place, box: Box, member: Member, chunks: Iterable[bytes], came: Callable[[int], object]) -> None:
        if len(written) == most:
            raise KeyboardInterrupt
        write(self, box, member, chunks, came)
        written.append(member.place)

    monkeypatch.setattr(Place, "write", stopping)
    assert error(tmp_path, source, capsys) == (
        "unpacking was stopped before its end; run it again, and it goes on from there"
    )
    assert len(written) == most
    assert not list((tmp_path / "raw").glob("unpacked-*"))
    most = -1
    assert fetch(tmp_path, source) == 0
    assert len(written) == len(set(written)) == TRAIN * 2 + TEST
    same(Fetched(tmp_path), fetched)
    assert [path.name for path in (tmp_path / "raw").iterdir()] == [Fetched(tmp_path).root.name]


def test_what_a_kill_left_is_not_taken_for_the_data(fetched: Fetched, tmp_path: Path) -> None:
    source = layouts.old(fetched.root, tmp_path / "kaggle")
    assert fetch(tmp_path, source) == 0
    name = Fetched(tmp_path).root.name
    shutil.rmtree(tmp_path / "raw")
    torn = tmp_path / "raw" / f".{name}.abc/new/train/images"
    torn.mkdir(parents=True)
    assert fetch(tmp_path, source) == 0
    same(Fetched(tmp_path), fetched)


def test_folders_without_anything_of_it_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert error(tmp_path, empty, capsys) == (
        f"{empty} has neither train/images nor one of tgs-salt-identification-challenge.zip, competition_data.zip, "
        "train.zip, test.zip; set challenges.salt.source to the folder of one"
    )
    assert error(tmp_path, tmp_path / "nowhere", capsys) == (
        f"source {tmp_path}/nowhere is neither 'demo' nor 'remote' nor a folder; "
        "set challenges.salt.source to one of them"
    )


def test_half_of_the_zips_is_refused(fetched: Fetched, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = layouts.old(fetched.root, tmp_path / "kaggle")
    (source / "train.zip").rename(tmp_path / "train.zip")
    said = error(tmp_path, source, capsys)
    assert (
        said == f"{source} has no train/images, nor is it in test.zip; put train.zip or {layouts.COMPETITION}.zip there"
    )
    shutil.move(source / "test.zip", tmp_path / "test.zip")
    shutil.move(tmp_path / "train.zip", source / "train.zip")
    said = error(tmp_path, source, capsys)
    assert said == f"{source} lacks test/images (from test.zip); put there what the competition has"
