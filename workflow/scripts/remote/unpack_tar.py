"""Tars, packed or not: they are read twice, first to see that all is sound, then to write it."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO, Any, cast

from containers.kit.files import CHUNK
from workflow.scripts.remote.unpack_plan import Box, Member, members, no_file, place

# By what files of theirs begin with.
PACKERS: dict[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}
BLOCK = 512
HEADERS = 16 << 10  # bytes of one entry beside its contents at most, on the average
AT_ONCE = 16 << 20  # bytes that one header may take
BROKEN = (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, UnicodeError, OverflowError)


class _Held:
    """The unpacked tar, which may neither go on for ever nor have headers that fill the memory."""

    def __init__(self, box: Box, stream: IO[bytes]) -> None:
        self._box, self._stream, self.last = box, stream, b""
        self._most = box.limits.bytes + box.limits.files * HEADERS + AT_ONCE

    def read(self, size: int) -> bytes:
        if size > AT_ONCE:
            raise tarfile.ReadError(f"a header of {size:,} bytes")
        self.last = self._stream.read(size)
        self._look()
        return self.last

    def seek(self, position: int) -> int:
        if position > self._most:
            self._box.within(0, position)
        return self._stream.seek(position)

    def tell(self) -> int:
        return self._stream.tell()

    def drain(self) -> None:
        """To the end, so that the packer's own checksum is looked at."""
        while self.read(CHUNK):
            pass

    def _look(self) -> None:
        if self._stream.tell() > self._most:
            self._box.within(0, self._stream.tell())


def plan(box: Box, top: str) -> tuple[Member, ...]:
    """All that is to be written; the whole archive has been read by then, and was sound."""
    files: list[tuple[Member, PurePosixPath]] = []
    folders: list[PurePosixPath] = []
    size = 0
    with _opened(box) as (held, archive):
        for index, entry in enumerate(archive):
            size += max(entry.size, 0)
            box.within(index + 1, size)
            path = place(box, entry.name, entry.isdir())
            if not entry.isreg() and not entry.isdir():
                raise no_file(box, entry.name)
            if path is not None and entry.isdir():
                folders.append(path)
            elif path is not None:
                files.append((Member(index, "", entry.size, int(entry.mtime)), path))
        if held.last != bytes(BLOCK):
            raise box.broken("it has no end")
        held.drain()
    return members(box, files, folders, top)


def contents(box: Box, found: tuple[Member, ...]) -> Iterator[tuple[Member, Iterator[bytes]]]:
    """Each of these members with its bytes, in the archive's order."""
    wanted = {member.index: member for member in found}
    with _opened(box) as (_, archive):
        for index, entry in enumerate(archive):
            if index in wanted:
                yield wanted.pop(index), _bytes(archive, entry)
            if not wanted:
                return
    raise box.broken("it changed while it was unpacked")


def _bytes(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> Iterator[bytes]:
    source = archive.extractfile(entry)
    while source and (chunk := source.read(CHUNK)):
        yield chunk


@contextmanager
def _opened(box: Box) -> Iterator[tuple[_Held, tarfile.TarFile]]:
    with box.path.open("rb") as raw:
        begin = raw.read(8)
        raw.seek(0)
        packer = next((packer for mark, packer in PACKERS.items() if begin.startswith(mark)), None)
        try:
            with packer(raw) if packer else raw as stream:
                held = _Held(box, stream)
                with tarfile.open(fileobj=cast(IO[bytes], held), mode="r:") as archive:
                    yield held, archive
        except BROKEN as error:
            raise box.broken(error) from None
        except OSError as error:
            if error.errno is None:  # so do gzip and bz2 complain of what is no such file
                raise box.broken(error) from None
            raise
