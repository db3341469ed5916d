"""Sound archives of every kind: all of it arrives, once, and nothing else."""

from __future__ import annotations

import json
import os
import tarfile
import zipfile
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path

import pytest

from containers.kit.errors import UserError
from tests.remote_unpack import rawzip
from tests.remote_unpack.conftest import FILES, KEY, LIMITS, aes, classic, contents, tarred, zipped
from workflow.scripts.remote.table import Archive
from workflow.scripts.remote.unpack import main, unpack

KINDS: dict[str, Callable[[Path], Path]] = {
    "stored": partial(zipped, method=zipfile.ZIP_STORED),
    "deflated": zipped,
    "bzip2": partial(zipped, method=zipfile.ZIP_BZIP2),
    "lzma": partial(zipped, method=zipfile.ZIP_LZMA),
    "classic": classic,
    "classic, stored": partial(classic, method=0),
    "classic, sizes behind": partial(classic, behind=True),
    "classic, stored, sizes behind": partial(classic, method=0, behind=True),
    "classic, zip64": partial(classic, zip64=True),
    "classic, deflate64": partial(classic, method=9),
    "deflate64": lambda path: rawzip.write(path, [rawzip.Raw(*one, method=9) for one in FILES.items()]),
    "AES 128": partial(aes, bits=128),
    "AES 192": partial(aes, bits=192),
    "AES 256": aes,
    "tar": tarred,
    "tar.gz": partial(tarred, mode="w:gz"),
    "tar.bz2": partial(tarred, mode="w:bz2"),
    "tar.xz": partial(tarred, mode="w:xz"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_all_of_it_arrives_and_nothing_else(kind: str, tmp_path: Path) -> None:
    path = KINDS[kind](tmp_path / "archive")  # told by what it holds, not by its name
    unpack(path, tmp_path / "made", LIMITS, key=KEY)
    assert contents(tmp_path / "made") == FILES
    assert {one.name for one in tmp_path.iterdir()} == {"archive", "made", ".made.unpacked.json"}
    record = json.loads((tmp_path / ".made.unpacked.json").read_text())
    found = {name: record[name] for name in ("archive", "size", "files", "bytes")}
    size = sum(map(len, FILES.values()))
    assert found == {"archive": "archive", "size": path.stat().st_size, "files": len(FILES), "bytes": size}


@pytest.mark.parametrize("kind", ["deflated", "classic", "AES 256"])
def test_several_processes_make_the_same(kind: str, two: None, tmp_path: Path) -> None:  # noqa: ARG001
    files = {f"{number % 3}/{number}": bytes([number]) * 1000 * number for number in range(40)}
    makes: dict[str, Callable[..., Path]] = {"deflated": zipped, "classic": classic, "AES 256": aes}
    unpack(makes[kind](tmp_path / "it.zip", files), tmp_path / "made", LIMITS)
    assert contents(tmp_path / "made") == files


def test_several_processes_end_with_the_sentence_of_one(two: None, tmp_path: Path) -> None:  # noqa: ARG001
    path = classic(tmp_path / "it.zip", {f"{number}": bytes([number]) * 5000 for number in range(20)}, method=0)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"^it is no whole archive \(\d+: CRC32IntegrityError, unless sources"):
        unpack(path, tmp_path / "made", LIMITS, called="it")
    assert [one.name for one in tmp_path.iterdir()] == ["it.zip"]


def test_neither_modes_nor_what_a_mac_adds_are_taken(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        path = tarred(tmp_path / "it.tar", {**FILES, "__MACOSX/._one.txt": b"x", "images/.DS_Store": b"x"})
        unpack(path, tmp_path / "made", LIMITS)
    finally:
        os.umask(before)
    assert contents(tmp_path / "made") == FILES
    modes = {(one.is_dir(), one.stat().st_mode & 0o7777) for one in (tmp_path / "made").rglob("*")}
    assert modes == {(False, 0o644), (True, 0o755)}


def test_names_that_differ_in_their_case_alone_are_two_files(tmp_path: Path) -> None:
    files = {"Readme": b"1", "README": b"2", "dir/x": b"3", "DIR/x": b"4"}
    unpack(zipped(tmp_path / "it.zip", files), tmp_path / "made", LIMITS)
    assert contents(tmp_path / "made") == files


@pytest.mark.parametrize("make", [zipped, tarred])
@pytest.mark.parametrize(("names", "made"), [(["train/a", "train/b/c"], ""), (["a", "train/c"], "train/")])
def test_a_top_folder_is_there_once(names: list[str], made: str, make: Callable[..., Path], tmp_path: Path) -> None:
    files = {name: name.encode() for name in names}
    unpack(make(tmp_path / "it", files), tmp_path / "made", LIMITS, top="train")
    assert contents(tmp_path / "made") == {made + name: data for name, data in files.items()}


def test_long_names_of_tars_arrive(tmp_path: Path) -> None:
    name = "/".join(["folder" * 20] * 3 + ["file" * 60])
    path = tarred(tmp_path / "it.tar", {name: b"x"})
    unpack(path, tmp_path / "made", LIMITS)
    assert contents(tmp_path / "made") == {name: b"x"}


def test_folders_of_an_archive_need_no_entry_and_may_have_one(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "it.tar", "w") as archive:
        for name in ("images/", "images/deep"):
            entry = tarfile.TarInfo(name)
            entry.type = tarfile.DIRTYPE
            archive.addfile(entry)
        for name, data in FILES.items():
            entry = tarfile.TarInfo(f"./{name}")
            entry.size = len(data)
            archive.addfile(entry, BytesIO(data))
    unpack(tmp_path / "it.tar", tmp_path / "made", LIMITS)
    assert contents(tmp_path / "made") == FILES


def test_a_large_member_is_told_in_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rawzip.write(tmp_path / "it.zip", [rawzip.Raw("x", bytes(5 << 20), LIMITS.password)])
    unpack(tmp_path / "it.zip", tmp_path / "made", Archive(1, 10**8, 10**6, LIMITS.password))
    assert "5.00M/5.00M" in capsys.readouterr().err


def test_the_command_unpacks_and_tells_errors_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--archive", str(zipped(tmp_path / "it.zip")), "--target", str(tmp_path / "made")]
    assert main([*words, "--limits", '{"files": 9, "bytes": 1000000, "ratio": 50}']) == 0
    assert contents(tmp_path / "made") == FILES
    capsys.readouterr()
    words[-1] += "2"
    assert main([*words, "--limits", '{"files": 3, "bytes": 1000000}']) == 1
    assert capsys.readouterr().err == (
        f"error: {tmp_path}/it.zip holds 4 entries, and sources.data.NAME.archive.files allows 3; raise that if the "
        "archive is the one that you want, or download it again\n"
    )
