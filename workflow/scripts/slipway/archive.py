"""From the engine's stream to a verified .tar.gz: copying, hashing and compressing each go on in threads of their own.

What makes the bytes the same each time: plain tar headers, a gzip header without time and name, blocks cut by content
and compressed on their own whatever the number of threads, and one release of isal. The order of the members is the
engine's, and each engine that we know sorts them. isal picks its code by the CPU, so that an unlike CPU may compress
to other bytes; the digest of the tar within (`Archive.tar_sha256`) is the same there too.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from isal import igzip_threaded, isal_zlib

from containers.kit.errors import UserError
from containers.kit.files import CHUNK
from workflow.scripts.slipway.digest import Unpacked
from workflow.scripts.slipway.imagetar import Contents, retagged
from workflow.scripts.slipway.tarstream import END, BrokenTarError, Member, members
from workflow.scripts.slipway.worker import Worker

Advance = Callable[[int], object]


@dataclass(frozen=True)
class Archive:
    """Sizes in bytes and digests in hex, of the .tar.gz and of the tar within."""

    size: int
    sha256: str
    tar_size: int
    tar_sha256: str


class _Sink:
    """A file that knows the digest of what was written to it and shows each piece to `watch`."""

    def __init__(self, file: IO[bytes], watch: Callable[[bytes], object]) -> None:
        self._file = file
        self._watch = watch
        self.sha256 = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        """isal calls this from one thread of its own, except for the gzip header and trailer."""
        self._file.write(data)
        self._watch(data)
        self.sha256.update(data)
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        self._file.flush()


class _Crc:
    """The CRC-32 of what it is fed."""

    def __init__(self) -> None:
        self.value = 0

    def feed(self, data: bytes) -> None:
        self.value = isal_zlib.crc32(data, self.value)


def compress(source: IO[bytes], path: Path, level: int, threads: int, advance: Advance) -> tuple[Archive, Contents]:
    """Write the image archive that `source` streams to `path`, and say what it holds; `advance` counts tar bytes.

    What the compressor puts out is unpacked again beside it and must be the same tar: the work of seconds on another
    core, where a pass over the finished file would come after all else. A CRC tells a compressor's mistake at a
    twelfth of the cost of a SHA-256, which is for what others may have changed.
    """
    contents, packed_crc, unpacked_crc = Contents(), _Crc(), _Crc()
    unpacked = Unpacked(str(path), unpacked_crc.feed)
    tar, tar_size = hashlib.sha256(), 0
    with path.open("wb") as file, Worker() as unpacking:
        sink = _Sink(file, lambda data: unpacking.submit(unpacked.feed, data))
        with _compressor(sink, level, threads) as packed, Worker() as hashing:
            for piece, digest in _pieces(source, contents):
                hashing.submit(tar.update, piece)
                if digest is not None:
                    hashing.submit(digest, piece)
                packed_crc.feed(piece)
                packed.write(piece)
                tar_size += len(piece)
                advance(len(piece))
        file.flush()
        os.fsync(file.fileno())
    if (unpacked.size, unpacked_crc.value) != (tar_size, packed_crc.value):
        raise UserError(f"{path} unpacks to other bytes than went in; check this machine's memory, then save again")
    return Archive(sink.size, sink.sha256.hexdigest(), tar_size, tar.hexdigest()), contents


def _pieces(source: IO[bytes], contents: Contents) -> Iterator[tuple[bytes, Callable[[bytes], object] | None]]:
    """The normalised tar in pieces, each with what digests it if it is a member's content."""
    rewriters = retagged()
    for member, chunks in members(source):
        if member.name in rewriters:
            member, chunks = _rewritten(member, chunks, rewriters[member.name])
        digest = contents.begin(member)
        yield member.header(), None
        for chunk in chunks:
            yield chunk, digest.feed if digest else None
        yield member.padding(), None
    yield END, None


def _rewritten(
    member: Member, chunks: Iterator[bytes], rewrite: Callable[[bytes], bytes]
) -> tuple[Member, Iterator[bytes]]:
    try:
        text = rewrite(b"".join(chunks))
    except (ValueError, AttributeError, TypeError):
        raise BrokenTarError(f"its {member.name} is not what an engine writes") from None
    return replace(member, size=len(text)), iter([text])


@contextmanager
def _compressor(sink: _Sink, level: int, threads: int) -> Iterator[IO[bytes]]:
    packed = igzip_threaded.open(sink, "wb", compresslevel=level, threads=threads, block_size=CHUNK)
    try:
        yield packed
    except BaseException:
        with suppress(Exception):  # its threads must end; the first error is the one to tell
            packed.close()
        raise
    packed.close()
