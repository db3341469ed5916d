"""An archive of a web server becomes a folder once, and what it needs is told before it is fetched."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from containers.kit.errors import UserError
from containers.kit.files import sha256
from tests.webfolder import Web, served
from workflow.scripts.remote.bring import unpacked
from workflow.scripts.remote.table import Archive, Http, Licence, Row

KEY = "sources.data.amos"


class Given:
    """A server with one archive."""

    def __init__(self, web: Web) -> None:
        self.archive, self.asked, self.url = web.folder / "release.zip", web.asked, web.url
        with zipfile.ZipFile(self.archive, "w") as archive:
            archive.writestr("amos22/dataset.json", "{}")
            archive.writestr("amos22/imagesTr/amos_0001.nii.gz", b"volume" * 1000)
            archive.writestr("__MACOSX/amos22/._dataset.json", b"clutter")

    def row(self, most: int = 9000) -> Row:
        http = Http(
            "release.zip", (f"{self.url}/release.zip",), about=self.archive.stat().st_size, sha256=sha256(self.archive)
        )
        return Row("a release", Licence("L", "", ("a term",)), http, archive=Archive(9, most))


@pytest.fixture
def given(tmp_path: Path) -> Iterator[Given]:
    with served(tmp_path / "web") as web:
        yield Given(web)


def test_it_is_fetched_and_unpacked_once(given: Given, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = unpacked(given.row(), KEY, ["L"], tmp_path / "raw", 1)
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert files["amos22/imagesTr/amos_0001.nii.gz"] == b"volume" * 1000
    assert not [name for name in files if "MACOSX" in name]
    archive = tmp_path / "raw" / "remote" / "release.zip"
    assert f"note: {archive} (0.0 GB) is unpacked; remove it if its room is needed" in capsys.readouterr().err
    given.asked.clear()
    archive.unlink()
    assert unpacked(given.row(), KEY, ["L"], tmp_path / "raw", 1) == root
    assert given.asked == []


def test_nothing_is_asked_before_the_terms_are_accepted(given: Given, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^add 'L' to the key accept"):
        unpacked(given.row(), KEY, [], tmp_path / "raw", 1)
    assert given.asked == []
    assert not (tmp_path / "raw").exists()


def test_a_disk_that_cannot_take_archive_and_content_is_told_first(
    given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = given.archive.stat().st_size
    free = shutil.disk_usage(tmp_path)._replace(free=2 * size - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free)
    with pytest.raises(UserError, match=r"free and a release \(its archive, and what that holds\) takes "):
        unpacked(given.row(), KEY, ["L"], tmp_path / "raw", 1)
    assert given.asked == []


def test_an_archive_beyond_the_tables_limits_is_refused_and_nothing_of_it_is_left(given: Given, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        unpacked(given.row(5999), KEY, ["L"], tmp_path / "raw", 1)
    assert f"{KEY}.archive.bytes" in str(caught.value)
    assert not list((tmp_path / "raw" / "remote").rglob("*.gz"))


def test_a_row_that_gives_no_archive_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^sources.data.amos must have http and archive"):
        unpacked(Row("a bucket"), KEY, [], tmp_path, 1)
