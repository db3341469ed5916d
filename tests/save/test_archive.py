"""The bytes of an archive: the same each time, and those of the tar that was verified."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from isal import igzip_threaded

from containers.kit.errors import UserError
from tests.save import images
from workflow.scripts.slipway.archive import Archive, compress
from workflow.scripts.slipway.tarstream import CHUNK, BrokenTarError, Member

BIG = images.layer("big", 2 * CHUNK + 12_345)
DUPLICATES = (images.layer("one"), BIG, images.layer("two"), BIG)


class Pipe(io.RawIOBase):
    """A stream that gives as many bytes at a time as a pipe may."""

    def __init__(self, data: bytes, pieces: Sequence[int]) -> None:
        self._data, self._pieces, self._turn = io.BytesIO(data), pieces, 0

    def read(self, size: int = -1) -> bytes:
        self._turn += 1
        return self._data.read(min(size, self._pieces[self._turn % len(self._pieces)]))


def written(tar: bytes, path: Path, threads: int = 2, pieces: Sequence[int] = (CHUNK,)) -> Archive:
    result, _ = compress(cast(IO[bytes], Pipe(tar, pieces)), path, level=1, threads=threads, advance=lambda _: None)
    return result


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("archive") / "image.tar.gz"
    written(images.legacy(DUPLICATES).tar, path, threads=1)
    return path.read_bytes()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    threads=st.integers(1, 5),
    pieces=st.lists(st.sampled_from([1_000, 4_096, 65_536, 100_003, CHUNK]), min_size=1, max_size=4),
    mtime=st.integers(0, 2**33),
)
def test_the_same_image_gives_the_same_bytes(
    threads: int, pieces: list[int], mtime: int, expected: bytes, tmp_path: Path
) -> None:
    """Whatever the number of threads, the pace of the engine, and the times and owners that it writes."""
    path = tmp_path / "image.tar.gz"
    written(images.legacy(DUPLICATES, mtime).tar, path, threads, pieces)
    assert path.read_bytes() == expected


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.sampled_from([0, 1, 511, 512, 513, CHUNK - 1, CHUNK, CHUNK + 1]), min_size=1, max_size=4))
def test_members_come_out_as_they_went_in(sizes: list[int], tmp_path: Path) -> None:
    contents = [(f"file{number}", random.Random(number).randbytes(size)) for number, size in enumerate(sizes)]
    path = tmp_path / "image.tar.gz"
    result = written(images.packed(contents), path, threads=3)
    tar = gzip.decompress(path.read_bytes())
    with tarfile.open(fileobj=io.BytesIO(tar)) as opened:
        assert [(info.name, cast(IO[bytes], opened.extractfile(info)).read()) for info in opened] == contents
    assert (result.tar_size, result.tar_sha256) == (len(tar), hashlib.sha256(tar).hexdigest())
    assert (result.size, result.sha256) == (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())


def test_headers_are_plain(expected: bytes) -> None:
    assert expected[:8] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00"  # gzip, with neither name nor time
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(expected))) as opened:
        members = opened.getmembers()
    assert {(info.mtime, info.uid, info.gid, info.uname, info.gname) for info in members} == {(0, 0, 0, "", "")}
    assert [info.linkname for info in members if info.issym()] == [f"../{1:064x}/layer.tar"]
    assert {info.mode for info in members if info.isreg()} == {0o644}


def test_long_names_and_large_sizes_have_headers() -> None:
    header = Member("x" * 150 + "/layer.tar", "file", size=9 << 30).header()
    info = tarfile.TarInfo.frombuf(header[-512:], "utf-8", "strict")
    assert info.size == 9 << 30
    assert ("x" * 150 + "/layer.tar").encode() in header


def test_podmans_tags_become_those_that_docker_runs(tmp_path: Path) -> None:
    path = tmp_path / "image.tar.gz"
    written(images.podman(DUPLICATES).tar, path)
    with tarfile.open(path) as opened:
        manifest = cast(IO[bytes], opened.extractfile("manifest.json")).read()
        repositories = cast(IO[bytes], opened.extractfile("repositories")).read()
    assert b'"RepoTags":["stoictrain:latest"]' in manifest
    assert repositories.startswith(b'{"stoictrain":{"latest":')


@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_a_stream_that_breaks_off_within_a_layer(share: float, tmp_path: Path) -> None:
    tar = images.legacy((BIG,)).tar
    with pytest.raises(BrokenTarError, match=r"it ends within 0+/layer\.tar"):
        written(tar[: int(len(tar) * share)], tmp_path / "image.tar.gz")


def test_a_device_is_no_part_of_an_image(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as made:
        info = tarfile.TarInfo("dev/null")
        info.type = tarfile.CHRTYPE
        made.addfile(info)
    with pytest.raises(BrokenTarError, match="dev/null is neither file, folder nor link"):
        written(stream.getvalue(), tmp_path / "image.tar.gz")


def test_a_compressor_that_errs_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = igzip_threaded.open

    class Altering:
        def __init__(self, stream: Any) -> None:
            self._stream = stream

        def write(self, data: bytes) -> int:
            return int(self._stream.write(data.replace(b"one", b"0ne")))

        def close(self) -> None:
            self._stream.close()

    monkeypatch.setattr(igzip_threaded, "open", lambda *args, **kwargs: Altering(real(*args, **kwargs)))
    with pytest.raises(UserError, match="unpacks to other bytes than went in"):
        written(images.legacy(DUPLICATES).tar, tmp_path / "image.tar.gz")
