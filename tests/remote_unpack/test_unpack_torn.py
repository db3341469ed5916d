"""Archives that are cut short or have other bytes than they had: noticed, and nothing is left of them."""

from __future__ import annotations

import gzip
import struct
import tarfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from containers.kit.errors import UserError
from tests.remote_unpack.conftest import LIMITS, aes, classic, refused, tarred, zipped
from workflow.scripts.remote.unpack import unpack


@pytest.mark.parametrize(
    "make",
    [
        zipped,
        tarred,
        classic,
        aes,
        *(partial(tarred, mode=mode) for mode in ("w:gz", "w:bz2", "w:xz")),
    ],
)
def test_an_archive_without_its_end_is_refused(make: Callable[..., Path], tmp_path: Path) -> None:
    content = make(tmp_path / "it").read_bytes()
    for part in (0.02, 0.3, 0.6, 0.8, 0.95):
        (tmp_path / "it").write_bytes(content[: int(len(content) * part)])
        assert refused(tmp_path / "it", tmp_path / "made").startswith("it is no whole archive (")


def test_a_tar_that_ends_between_two_files_is_refused(tmp_path: Path) -> None:
    content = tarred(tmp_path / "it.tar").read_bytes()
    with tarfile.open(tmp_path / "it.tar") as archive:
        third = archive.getmembers()[2]
    for end in (third.offset, third.offset + 100):
        (tmp_path / "it.tar").write_bytes(content[:end])
        assert refused(tmp_path / "it.tar", tmp_path / "made") == (
            "it is no whole archive (it has no end); download it again"
        )
    spoilt = content[: third.offset] + b"\1" + content[third.offset + 1 :]
    (tmp_path / "it.tar").write_bytes(spoilt)
    assert "(it has no end)" in refused(tmp_path / "it.tar", tmp_path / "made")


@pytest.mark.parametrize("make", [zipped, classic, aes])
def test_every_byte_of_a_zip_that_changes_is_noticed_or_does_not_matter(
    make: Callable[..., Path], tmp_path: Path
) -> None:
    files = {"one": b"one" * 20, "b/two": bytes(range(100))}
    content = make(tmp_path / "it.zip", files).read_bytes()
    for place in range(0, len(content), 3):
        (tmp_path / "it.zip").write_bytes(content[:place] + bytes([content[place] ^ 0x41]) + content[place + 1 :])
        folder = tmp_path / str(place) / "made"
        try:
            unpack(tmp_path / "it.zip", folder, LIMITS)
        except UserError:
            assert not list(folder.parent.iterdir())
            continue
        assert sorted(path.read_bytes() for path in folder.rglob("*") if path.is_file()) == sorted(files.values())


def test_a_packed_tar_with_a_changed_byte_is_refused(tmp_path: Path) -> None:
    content = bytearray(tarred(tmp_path / "it.tar.gz", mode="w:gz").read_bytes())
    content[-6] ^= 1  # its checksum
    (tmp_path / "it.tar.gz").write_bytes(content)
    assert refused(tmp_path / "it.tar.gz", tmp_path / "made").startswith("it is no whole archive (CRC check failed")


def test_what_is_neither_a_zip_nor_a_tar_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"<html>not found</html>", bytes(100), gzip.compress(b"x" * 2000), b"PK\5\6" + bytes(18)):
        (tmp_path / "it").write_bytes(content)
        assert refused(tmp_path / "it", tmp_path / "made").endswith("; download it again")
    (tmp_path / "it").unlink()
    assert refused(tmp_path / "it", tmp_path / "made") == "it is not there; fetch it again"


def test_a_zip_that_claims_more_than_it_has_is_refused(tmp_path: Path) -> None:
    content = bytearray(zipped(tmp_path / "it.zip").read_bytes())
    at = content.index(b"PK\1\2")
    content[at + 42 : at + 46] = struct.pack("<I", 10**9)  # where the first header is
    (tmp_path / "it.zip").write_bytes(content)
    assert "reaches into the next one" in refused(tmp_path / "it.zip", tmp_path / "made")
