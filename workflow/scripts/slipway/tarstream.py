"""Tar archives as streams: members come in, the same members with plain headers go out, one chunk at a time."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Literal

# Chunks have one size whatever the pipe delivers: the compressor cuts its blocks where a write ends, so that the
# chunks, and not the engine's pace, decide the bytes of the archive.
CHUNK = 1 << 20
BLOCK = 512
END = bytes(2 * BLOCK)

Kind = Literal["file", "folder", "symlink", "hardlink"]
_TYPES: dict[Kind, bytes] = {
    "file": tarfile.REGTYPE,
    "folder": tarfile.DIRTYPE,
    "symlink": tarfile.SYMTYPE,
    "hardlink": tarfile.LNKTYPE,
}
_MODES: dict[Kind, int] = {"file": 0o644, "folder": 0o755, "symlink": 0o777, "hardlink": 0o644}


class BrokenTarError(Exception):
    """The stream ends early or is not a tar archive; the text says which."""


@dataclass(frozen=True)
class Member:
    """What of a tar header matters to an image archive: the rest (times, owners, modes) differs from save to save."""

    name: str
    kind: Kind
    size: int = 0
    target: str = ""  # of a link

    def header(self) -> bytes:
        info = tarfile.TarInfo(self.name)  # time 0, owner 0, no names
        info.type, info.mode, info.size, info.linkname = _TYPES[self.kind], _MODES[self.kind], self.size, self.target
        # GNU's format holds layers over 8 GiB and long names, and every engine reads it.
        return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")

    def padding(self) -> bytes:
        return bytes(-self.size % BLOCK)


def members(stream: IO[bytes]) -> Iterator[tuple[Member, Iterator[bytes]]]:
    """Each member with its content in chunks, which must be read before the next member is asked for."""
    try:
        with tarfile.open(fileobj=stream, mode="r|", bufsize=CHUNK) as archive:
            for info in archive:
                member = Member(info.name, _kind(info), info.size if info.isreg() else 0, info.linkname)
                yield member, _chunks(archive, info)
        while stream.read(CHUNK):  # what pads the archive: an engine whose pipe closes early calls that a failure
            continue
    except tarfile.TarError as error:
        raise BrokenTarError(str(error)) from None


def _kind(info: tarfile.TarInfo) -> Kind:
    if info.isreg() and not info.issparse():
        return "file"
    if info.isdir():
        return "folder"
    if info.issym():
        return "symlink"
    if info.islnk():
        return "hardlink"
    raise BrokenTarError(f"its member {info.name} is neither file, folder nor link")


def _chunks(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Iterator[bytes]:
    content = archive.extractfile(info) if info.isreg() else None
    if content is None:
        return
    left = info.size
    while left:
        try:
            chunk = content.read(min(CHUNK, left))
        except tarfile.TarError:
            raise BrokenTarError(f"it ends within {info.name}") from None
        left -= len(chunk)
        yield chunk
