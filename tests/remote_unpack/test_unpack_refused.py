"""Archives that will not do: each is refused with one sentence, and nothing of it is left."""

from __future__ import annotations

import gzip
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.remote_unpack import rawzip
from tests.remote_unpack.conftest import FILES, LIMITS, aes, classic, refused, tarred, zipped
from tests.remote_unpack.rawzip import Raw
from workflow.scripts.remote import unpack_write
from workflow.scripts.remote.table import Archive

OUT = "it holds {0!r}, which would leave the folder it is unpacked to; download it again"
LINK = "it holds {0!r}, which is a link or a device; download it again"
LOCKED: list[Callable[..., Path]] = [classic, aes]
RAISE = "raise that if the archive is the one that you want, or download it again"


@pytest.fixture
def unwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing would fail."""
    monkeypatch.setattr(unpack_write.Place, "write", None)


@pytest.mark.usefixtures("unwritten")
@pytest.mark.parametrize("make", [zipped, tarred, *LOCKED])
@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "a/..", "a\\x", "C:x", "c:/x"])
def test_no_name_leaves_the_folder(name: str, make: Callable[..., Path], tmp_path: Path) -> None:
    assert refused(make(tmp_path / "it", {**FILES, name: b"x"}), tmp_path / "made") == OUT.format(name)


@pytest.mark.usefixtures("unwritten")
@pytest.mark.parametrize("name", ["x" * 256, "é" * 128, "a/" + "x" * 300 + "/b"])
@pytest.mark.parametrize("make", [zipped, tarred])
def test_a_name_that_is_too_long_is_refused(name: str, make: Callable[..., Path], tmp_path: Path) -> None:
    said = refused(make(tmp_path / "it", {name: b"x"}), tmp_path / "made")
    assert said == f"it holds {name[:80]!r}, which no file can be called; download it again"


@pytest.mark.usefixtures("unwritten")
def test_a_name_with_an_end_in_it_is_refused(tmp_path: Path) -> None:
    path = rawzip.write(tmp_path / "it.zip", [Raw("good\0.txt", b"x")])
    assert (
        refused(path, tmp_path / "made") == "it holds 'good\\x00.txt', which no file can be called; download it again"
    )


@pytest.mark.usefixtures("unwritten")
@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, b"?"]
)
def test_links_and_devices_in_a_tar_are_refused(kind: bytes, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "it.tar", "w") as archive:
        entry = tarfile.TarInfo("odd")
        entry.type, entry.linkname = kind, "one.txt"
        archive.addfile(entry)
    assert refused(tmp_path / "it.tar", tmp_path / "made") == LINK.format("odd")


@pytest.mark.usefixtures("unwritten")
@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_links_and_devices_in_a_zip_are_refused(kind: int, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "it.zip", "w") as archive:
        entry = zipfile.ZipInfo("odd")
        entry.external_attr = (kind | 0o777) << 16
        archive.writestr(entry, "one.txt")
    assert refused(tmp_path / "it.zip", tmp_path / "made") == LINK.format("odd")


@pytest.mark.usefixtures("unwritten")
@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a", "b", "./a"], "it holds a more than once; download it again"),
        (["a", "a/b"], "it holds a as a file and as a folder; download it again"),
        (["x/a", "x/a/b/c"], "it holds x/a as a file and as a folder; download it again"),
        (["a/", "a"], "it holds a as a file and as a folder; download it again"),
        (["a/", "__MACOSX/x"], "it holds no file; download it again"),
    ],
)
def test_names_that_do_not_go_together_are_refused(names: list[str], said: str, tmp_path: Path) -> None:
    path = rawzip.write(tmp_path / "it.zip", [Raw(name, b"") for name in names])
    assert refused(path, tmp_path / "made") == said


@pytest.mark.usefixtures("unwritten")
@pytest.mark.parametrize("make", [zipped, tarred, *LOCKED])
def test_more_than_the_table_allows_is_refused(make: Callable[..., Path], tmp_path: Path) -> None:
    path, size = make(tmp_path / "it"), sum(map(len, FILES.values()))
    packed = path.stat().st_size
    assert refused(path, tmp_path / "made", replace(LIMITS, files=3)) == (
        f"it holds 4 entries, and sources.data.it.archive.files allows 3; {RAISE}"
    )
    said = refused(path, tmp_path / "made", replace(LIMITS, bytes=size - 1))
    assert said == f"it holds {size:,} bytes, and sources.data.it.archive.bytes allows {size - 1:,}; {RAISE}"
    said = refused(path, tmp_path / "made", replace(LIMITS, ratio=0.5))
    some = f" bytes, of {packed:,} that are packed, and sources.data.it.archive.ratio allows {packed // 2:,}; {RAISE}"
    assert said.startswith("it holds ")
    assert said.endswith(some)


@pytest.mark.usefixtures("unwritten")
def test_a_tar_that_does_not_end_is_refused(tmp_path: Path) -> None:
    """A header that claims a terabyte, headers that take all memory, and zeros for ever."""
    path = tmp_path / "it.tar"
    entry = tarfile.TarInfo("x")
    entry.size = 10**12
    path.write_bytes(entry.tobuf())
    assert "it holds 1,000,000,000,000 bytes" in refused(path, tmp_path / "made")
    entry.type, entry.size = tarfile.GNUTYPE_LONGNAME, 10**8
    path.write_bytes(entry.tobuf() + bytes(10**6))
    assert refused(path, tmp_path / "made") == (
        "it is no whole archive (a header of 100,000,256 bytes); download it again"
    )
    with gzip.open(path, "wb", 1) as stream:
        stream.write(tarred(tmp_path / "small.tar").read_bytes())
        for _ in range(60):
            stream.write(bytes(1 << 20))
    (tmp_path / "small.tar").unlink()
    said = refused(path, tmp_path / "made", replace(LIMITS, files=100, bytes=1 << 20))
    assert " bytes, and sources.data.it.archive.bytes allows 1,048,576; " in said


@pytest.mark.parametrize("method", [0, 8])
@pytest.mark.parametrize("password", ["", LIMITS.password])
@pytest.mark.parametrize("size", [10, 100_000])
def test_a_member_with_another_size_than_it_says_is_refused(
    size: int, password: str, method: int, tmp_path: Path
) -> None:
    path = rawzip.write(tmp_path / "it.zip", [Raw("x", b"x" * 5000, password, method, size=size)])
    assert refused(path, tmp_path / "made").startswith(
        ("it is no whole archive (", "it gives more of 'x' than it says")
    )


@pytest.mark.parametrize("password", ["", LIMITS.password])
def test_entries_that_share_their_bytes_are_refused(password: str, tmp_path: Path) -> None:
    members = [Raw("a", b"x" * 5000, password), Raw("b", b"y" * 5000, password, at=0)]
    said = refused(rawzip.write(tmp_path / "it.zip", members), tmp_path / "made")
    assert said == "it is no whole archive (the entry 'a' reaches into the next one); download it again"


@pytest.mark.parametrize("password", ["", LIMITS.password])
def test_a_name_that_its_own_header_does_not_have_is_refused(password: str, tmp_path: Path) -> None:
    path = rawzip.write(tmp_path / "it.zip", [Raw("good", b"x" * 50, password, local_name="evil")])
    assert refused(path, tmp_path / "made") == (
        "it is no whole archive (the entry 'good' has another header than the directory says); download it again"
    )


@pytest.mark.parametrize("make", LOCKED)
def test_a_password_that_is_missing_or_wrong_is_named_by_its_key(make: Callable[..., Path], tmp_path: Path) -> None:
    path = make(tmp_path / "it.zip", {str(number): bytes([number]) for number in range(20)})
    said = refused(path, tmp_path / "made", replace(LIMITS, password=""))
    assert said == "it is locked; set sources.data.it.archive.password"
    said = refused(path, tmp_path / "made", replace(LIMITS, password="open barley"))
    assert said == "it has another password; correct sources.data.it.archive.password"


def test_a_way_to_pack_that_is_not_known_is_told(tmp_path: Path) -> None:
    for password in ("", LIMITS.password):
        path = rawzip.write(tmp_path / "it.zip", [Raw("x", b"x" * 50, password, method=97)])
        assert refused(path, tmp_path / "made").startswith("it is packed in a way that is not known here (")


def test_a_disk_without_room_is_told_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    said = refused(tarred(tmp_path / "it.tar"), tmp_path / "made", Archive(10, 10**9))
    assert said == f"{tmp_path} has 1.0 kB free and what it holds takes 310.0 kB; make room there or move scratch"
