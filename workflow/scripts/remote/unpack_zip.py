"""Zips: what they hold, and the contents of one member."""

from __future__ import annotations

import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

from containers.kit.errors import one_line
from containers.kit.files import CHUNK
from workflow.scripts.remote import unpack_stream
from workflow.scripts.remote.unpack_plan import Box, Member, members, no_file, place
from workflow.scripts.remote.unpack_stream import HEADER, LOCKED

UTF8 = 0x800  # a flag of a member
OVERLAPPING = "the entry {0!r} reaches into the next one"
MANY = 0xFFFF  # entries, or more
FURTHEST = 22 + 0xFFFF  # bytes that the end of the directory takes, and a comment behind it
TRIED = 8  # members: a wrong password is taken for right by one of 256
BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, UnicodeError, struct.error)


@dataclass(frozen=True)
class Opened:
    """A zip that is being read; `ends` says for each entry where its bytes end at the latest."""

    box: Box
    archive: zipfile.ZipFile
    stream: IO[bytes]
    ends: dict[int, int]

    def contents(self, member: Member) -> Iterator[bytes]:
        """The bytes of one member, checked when the last of them has come."""
        entry = self.archive.infolist()[member.index]
        with _told(self.box):
            header = _header(self.stream, entry, self.ends[member.index])
            if unpack_stream.needed(entry):
                yield from unpack_stream.contents(self.box, self.stream, entry, header)
                return
            with self.archive.open(entry) as source:
                while chunk := source.read(CHUNK):
                    yield chunk


@contextmanager
def opened(box: Box) -> Iterator[Opened]:
    with _told(box), zipfile.ZipFile(box.path) as archive, box.path.open("rb") as stream:
        _count(stream, len(archive.infolist()))
        yield Opened(box, archive, stream, _ends(box, archive))


def plan(zipped: Opened, top: str) -> tuple[Member, ...]:
    """All that is to be written, after a look at everything that can be known before."""
    box, entries = zipped.box, zipped.archive.infolist()
    box.within(len(entries), sum(entry.file_size for entry in entries))
    files: list[tuple[Member, PurePosixPath]] = []
    folders: list[PurePosixPath] = []
    for index, entry in enumerate(entries):
        folder = entry.orig_filename.endswith("/")
        if folder and entry.file_size:
            raise box.broken(f"{entry.orig_filename!r} is a folder with contents")
        path = place(box, entry.orig_filename, folder)
        if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise no_file(box, entry.orig_filename)
        if path is None:
            continue
        if folder:
            folders.append(path)
        else:
            files.append((Member(index, "", entry.file_size, entry.CRC), path))
    found = members(box, files, folders, top)
    for member in [one for one in found if entries[one.index].flag_bits & LOCKED][:TRIED]:
        next(zipped.contents(member), b"")
    return found


def slow(zipped: Opened, found: Sequence[Member]) -> bool:
    """Whether there is more to do than to copy."""
    entries = (zipped.archive.infolist()[one.index] for one in found)
    return any(entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & LOCKED for entry in entries)


def _count(stream: IO[bytes], entries: int) -> None:
    """The directory has as many entries as its end says, which zipfile does not look at."""
    stream.seek(max(0, stream.seek(0, 2) - FURTHEST))
    tail = stream.read()
    (said,) = struct.unpack_from("<H", tail, tail.rfind(b"PK\x05\x06") + 10)
    if said not in (entries, MANY):
        raise zipfile.BadZipFile(f"its directory has {entries:,} entries of {said:,}")


def _ends(box: Box, archive: zipfile.ZipFile) -> dict[int, int]:
    entries = sorted(enumerate(archive.infolist()), key=lambda pair: pair[1].header_offset)
    ends = [*(entry.header_offset for _, entry in entries), archive.start_dir][1:]
    for (_, entry), end in zip(entries, ends, strict=True):
        if entry.header_offset < 0 or entry.header_offset + HEADER.size + entry.compress_size > end:
            raise box.broken(OVERLAPPING.format(entry.orig_filename))
    return {index: end for (index, _), end in zip(entries, ends, strict=True)}


def _header(stream: IO[bytes], entry: zipfile.ZipInfo, end: int) -> tuple[int, int]:
    """Flags and time of the member's own header, behind which the stream stands then."""
    stream.seek(entry.header_offset)
    mark, _, flags, _, time, _, _, _, _, name_length, extra_length = HEADER.unpack(stream.read(HEADER.size))
    raw = stream.read(name_length)
    name = raw.decode("utf-8" if flags & UTF8 else "cp437")
    if mark != b"PK\x03\x04" or name != entry.orig_filename or (flags ^ entry.flag_bits) & LOCKED:
        raise zipfile.BadZipFile(f"the entry {entry.orig_filename!r} has another header than the directory says")
    begin = stream.seek(extra_length, 1)
    if begin + entry.compress_size > end:
        raise zipfile.BadZipFile(OVERLAPPING.format(entry.orig_filename))
    return flags, time


@contextmanager
def _told(box: Box) -> Iterator[None]:
    try:
        yield
    except BROKEN as error:
        raise box.broken(error) from None
    except NotImplementedError as error:
        raise unpack_stream.unknown(box, one_line(error)) from None
