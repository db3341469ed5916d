"""Folders of a run: prepared as organisers do, and nothing of a user's is lost."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import NoReturn

import pytest

from containers.kit.errors import UserError
from workflow.scripts.slipway import folders
from workflow.scripts.slipway.contract import Mount

OUTPUT = Mount("output", "/output/", "rw", emptied=True)
SHARED = Mount("shared", "/shared/", "rw")
INPUT = Mount("input", "/input/", "ro")


def test_a_new_folder_is_open_to_all(tmp_path: Path) -> None:
    folders.prepare(OUTPUT, tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o777


def test_a_folder_that_the_organisers_do_not_open_stays_closed(tmp_path: Path) -> None:
    folder = tmp_path / "output"
    folders.prepare(OUTPUT, folder)
    folders.prepare(OUTPUT, folder, opened=False)
    assert folder.stat().st_mode & 0o777 == 0o755


def test_our_own_folder_is_emptied_again(tmp_path: Path) -> None:
    folder, kept = tmp_path / "output", tmp_path / "kept"
    kept.mkdir()
    (kept / "data").write_text("precious")
    folders.prepare(OUTPUT, folder)
    (folder / "deep").mkdir()
    (folder / "deep" / "file").write_text("old")
    (folder / "link").symlink_to(kept)
    folders.prepare(OUTPUT, folder)
    assert list(folder.iterdir()) == []
    assert (kept / "data").read_text() == "precious"


def test_a_users_files_are_never_emptied(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(UserError, match="is not empty and was not made by Slipway; empty it yourself or name another"):
        folders.prepare(OUTPUT, tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "precious"


def test_a_folder_that_was_made_anew_is_no_longer_ours(tmp_path: Path) -> None:
    folder = tmp_path / "output"
    folders.prepare(OUTPUT, folder)
    folder.rmdir()
    folder.mkdir()
    (folder / "thesis.tex").write_text("precious")
    with pytest.raises(UserError, match="was not made by Slipway"):
        folders.prepare(OUTPUT, folder)


@pytest.fixture(params=["attributes", "no attributes"])
def file_system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Network file systems often have no extended attributes."""

    def refuse(*_: object) -> NoReturn:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    if request.param == "no attributes":
        monkeypatch.setattr("os.setxattr", refuse)
        monkeypatch.setattr("os.getxattr", refuse)


@pytest.mark.usefixtures("file_system")
def test_what_an_interrupted_run_left_is_kept_and_what_a_finished_one_left_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "scratch"
    assert folders.prepare(OUTPUT, folder, keep=True) is False
    (folder / "checkpoint").write_text("epoch 7")
    assert folders.prepare(OUTPUT, folder, keep=True) is True
    assert (folder / "checkpoint").read_text() == "epoch 7"
    folders.set_state(folder, folders.ENDED)
    assert folders.prepare(OUTPUT, folder, keep=True) is False
    assert list(folder.iterdir()) == []
    (folder / "checkpoint").write_text("epoch 1")
    assert folders.prepare(OUTPUT, folder) is False
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("file_system")
def test_a_users_scratch_is_not_taken_for_an_interrupted_run(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(UserError, match="was not made by Slipway"):
        folders.prepare(OUTPUT, tmp_path, keep=True)
    assert (tmp_path / "thesis.tex").read_text() == "precious"


def test_shared_folders_keep_their_content(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("theirs")
    assert folders.prepare(SHARED, tmp_path) is False
    assert (tmp_path / "model").read_text() == "theirs"
    assert tmp_path.stat().st_mode & 0o777 == 0o777


@pytest.mark.parametrize("precious", ["root", "home", "above home", "here", "link"])
def test_precious_folders_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precious: str) -> None:
    home = tmp_path / "people" / "me"
    home.mkdir(parents=True)
    (tmp_path / "work").mkdir()
    (tmp_path / "link").symlink_to(home)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(tmp_path / "work")
    places = {
        "root": Path("/"),
        "home": home,
        "above home": home.parent,
        "here": tmp_path / "work",
        "link": tmp_path / "link",
    }
    before = home.stat().st_mode
    with pytest.raises(UserError, match=r"--mount output: .* holds /.*; name a folder made for this"):
        folders.prepare(OUTPUT, places[precious])
    assert home.stat().st_mode == before


def test_an_input_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "scan.mha").write_text("ct")
    tmp_path.chmod(0o755)
    folders.prepare(INPUT, tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    with pytest.raises(UserError, match="--mount input: there is no folder"):
        folders.prepare(INPUT, tmp_path / "none")
    with pytest.raises(UserError, match="cannot mount a path with a colon"):
        folders.prepare(INPUT, tmp_path / "a:b")


def test_a_temporary_folder_goes_away(tmp_path: Path) -> None:
    with folders.temporary(tmp_path / "output", "strict") as folder:
        assert folder.parent == tmp_path
        folders.prepare(OUTPUT, folder)
        (folder / "file").write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_files_of_our_own_are_opened_without_an_engine(tmp_path: Path) -> None:
    from workflow.scripts.slipway.engine import Engine

    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_text("x")
    (tmp_path / "deep" / "file").chmod(0)
    (tmp_path / "dangling").symlink_to("nowhere")
    nowhere = Engine("docker", ("/nowhere/docker",), "")
    assert folders.hand_over(nowhere, "sha256:1", tmp_path) == ""
    assert (tmp_path / "deep" / "file").stat().st_mode & 0o777 == 0o600
    assert os.access(tmp_path / "deep" / "file", os.R_OK)
