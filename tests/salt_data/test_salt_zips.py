"""Zips that must not be unpacked: what leaves the folder, links, bombs, torn and locked ones; none leaves a trace."""

from __future__ import annotations

import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.salt_data import layouts
from tests.salt_data.conftest import Fetched, error
from workflow.scripts.remote.unpack_write import Place

Spoil = Callable[[Path], None]


def adding(name: str, mode: int = 0) -> Spoil:
    def spoil(path: Path) -> None:
        member = zipfile.ZipInfo(name)
        member.external_attr = mode << 16
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(member, "/etc/hostname")

    return spoil


def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3000])


def flipped(path: Path) -> None:
    """One byte of a member is another."""
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        member = next(one for one in archive.infolist() if one.file_size > 100)
    content[member.header_offset + 30 + len(member.filename) + 60] ^= 255
    path.write_bytes(content)


def locked(path: Path) -> None:
    """As if a password were needed: the flag of every member is set."""
    content = path.read_bytes()
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        pieces = content.split(mark)
        content = mark.join([pieces[0], *(_flagged(piece, offset - 4) for piece in pieces[1:])])
    path.write_bytes(content)


def _flagged(piece: bytes, offset: int) -> bytes:
    return piece[:offset] + bytes([piece[offset] | 1]) + piece[offset + 1 :]


def refused(folder: Path, source: Path, capsys: pytest.CaptureFixture[str], row: dict[str, Any] | None = None) -> str:
    """The sentence; nothing of the zip is left, in --scratch or elsewhere."""
    before = set(source.parent.rglob("*"))
    said = error(folder, source, capsys, row)
    assert set(source.parent.rglob("*")) - before <= {folder, folder / "raw"}
    return said


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (adding("../evil"), "holds '../evil', which would leave the folder it is unpacked to; download it again"),
        (adding("images/../../../evil"), "holds 'images/../../../evil', which would leave the folder"),
        (adding("/tmp/evil"), "holds '/tmp/evil', which would leave the folder"),
        (adding("..\\evil"), "holds '..\\\\evil', which would leave the folder"),
        (adding("C:/evil"), "holds 'C:/evil', which would leave the folder"),
        (adding("images/link", stat.S_IFLNK | 0o777), "holds 'images/link', which is a link or a device"),
        (adding("images/pipe", stat.S_IFIFO | 0o666), "holds 'images/pipe', which is a link or a device"),
        (torn, "is no whole archive (File is not a zip file); download it again"),
        (flipped, "is no whole archive (Bad CRC-32 for file '"),
        (locked, "is locked; set sources.data.salt.archive.password"),
    ],
)
@pytest.mark.parametrize("which", ["train.zip", "test.zip"])
def test_a_zip_that_is_not_sound_is_refused(
    which: str, spoil: Spoil, said: str, fetched: Fetched, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = layouts.old(fetched.root, tmp_path / "kaggle")
    spoil(source / which)
    assert refused(tmp_path / "out", source, capsys).startswith(f"{source / which} {said}")
    assert not list(tmp_path.rglob("evil"))


def test_a_zip_in_a_zip_is_looked_at_as_closely(
    fetched: Fetched, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = layouts.current(fetched.root, tmp_path / "kaggle")
    outer = source / f"{layouts.COMPETITION}.zip"
    with zipfile.ZipFile(outer) as archive:
        archive.extractall(tmp_path / "work")
    adding("../evil")(tmp_path / "work/competition_data.zip")
    layouts.pack(outer, tmp_path / "work")
    said = refused(tmp_path / "out", source, capsys)
    assert said.startswith(f"{outer}/competition_data.zip holds '../evil', which would leave the folder")
    assert not list(tmp_path.rglob("evil"))


def test_a_member_that_is_there_twice_is_refused(
    fetched: Fetched, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = layouts.old(fetched.root, tmp_path / "kaggle")
    with zipfile.ZipFile(source / "train.zip", "a") as archive:
        first = next(name for name in archive.namelist() if name.endswith(".png"))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr(first, b"other")
    said = refused(tmp_path / "out", source, capsys)
    assert said == f"{source / 'train.zip'} holds {first} more than once; download it again"


@pytest.mark.parametrize("limit", ["files", "bytes", "ratio"])
def test_bombs_are_refused_before_anything_is_written(
    limit: str, fetched: Fetched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = layouts.old(fetched.root, tmp_path / "kaggle")
    path = source / "train.zip"
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    size = sum(member.file_size for member in entries)
    packed = path.stat().st_size
    few = size / packed / 2
    most, said = {
        "files": (len(entries) - 1, f"{len(entries):,} entries, and sources.data.salt.archive.files"),
        "bytes": (size - 1, f"{size:,} bytes, and sources.data.salt.archive.bytes"),
        "ratio": (few, f"{size:,} bytes, of {packed:,} that are packed, and sources.data.salt.archive.ratio"),
    }[limit]
    allowed = f"{int(most * (packed if limit == 'ratio' else 1)):,}"
    monkeypatch.setattr(Place, "write", None)  # so that writing would fail
    row = {"title": "salt", "kaggle": {"competition": "x"}, "archive": {"files": 10**6, "bytes": 10**9, limit: most}}
    assert refused(tmp_path / "out", source, capsys, row) == (
        f"{path} holds {said} allows {allowed}; raise that if the archive is the one that you want, or download it "
        "again"
    )


def test_a_disk_without_room_is_told_before_anything_is_written(
    fetched: Fetched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = layouts.old(fetched.root, tmp_path / "kaggle")
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(Place, "write", None)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    said = refused(tmp_path / "out", source, capsys)
    assert f" has 1.0 kB free and what {source / 'train.zip'} holds takes " in said
