"""Members of zips that zipfile cannot read: locked ones, and what Windows packs with Deflate64.

It unlocks the classic encryption in Python alone, forty times slower than this, and does not know the one with AES.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from itertools import chain
from typing import IO

from containers.kit.files import CHUNK
from workflow.scripts.remote.unpack_plan import Box, UnsoundError

HEADER = struct.Struct("<4sHHHHHIIIHH")
LOCKED, SIZES_BEHIND = 1, 8  # flags of a member
DEFLATE64 = 9
LARGE = 0xFFFFFFFF  # "the extra field has it"
ZIP64, AES = 0x0001, 0x9901  # kinds of extra fields
VERSION = 51  # the first that knows AES


def contents(box: Box, stream: IO[bytes], entry: zipfile.ZipInfo, header: tuple[int, int]) -> Iterator[bytes]:
    """What a member holds, of whose bytes the first is the stream's next; `header` is its own flags and time."""
    import stream_unzip  # here, so that only who has such an archive needs it

    password = box.limits.password
    if entry.flag_bits & LOCKED and not password:
        raise UnsoundError(f"{box.name} is locked; set {box.key}.archive.password")
    pieces = _alone(stream, entry, *header)
    try:
        for _, _, chunks in stream_unzip.stream_unzip(pieces, password=password.encode(), chunk_size=CHUNK):
            yield from chunks
    except stream_unzip.PasswordError:
        raise UnsoundError(f"{box.name} has another password; correct {box.key}.archive.password") from None
    except stream_unzip.UnsupportedFeatureError as error:
        raise unknown(box, type(error).__name__) from None
    except stream_unzip.UnzipError as error:
        said = f"{entry.filename}: {type(error).__name__}"
        locked = f", unless {box.key}.archive.password is wrong" if entry.flag_bits & LOCKED else ""
        raise box.broken(said + locked) from None


def needed(entry: zipfile.ZipInfo) -> bool:
    return bool(entry.flag_bits & LOCKED) or entry.compress_type == DEFLATE64


def unknown(box: Box, kind: str) -> UnsoundError:
    return UnsoundError(f"{box.name} is packed in a way that is not known here ({kind}); unpack it by hand")


def _alone(stream: IO[bytes], entry: zipfile.ZipInfo, flags: int, time: int) -> Iterator[bytes]:
    """A zip of this member alone; its header says what the directory does, as headers may leave sizes open.

    The flag and the time stay as they are, as the password is checked by them.
    """
    behind = flags & SIZES_BEHIND
    kind = flags & (LOCKED | SIZES_BEHIND), entry.compress_type, time
    extra = struct.pack("<HHQQ", ZIP64, 16, entry.file_size, entry.compress_size) + _extra(entry.extra, AES)
    sizes = (entry.CRC, LARGE, LARGE)
    head = HEADER.pack(b"PK\x03\x04", VERSION, *kind, 0, *sizes, 1, len(extra))
    tail = b"PK\x01\x02"  # as the directory begins
    if behind:
        tail = struct.pack("<4sIQQ", b"PK\x07\x08", entry.CRC, entry.compress_size, entry.file_size) + tail
    return chain([head + b"x" + extra], _next(stream, entry.compress_size), [tail])


def _next(stream: IO[bytes], count: int) -> Iterator[bytes]:
    while count:
        piece = stream.read(min(count, CHUNK))
        if not piece:
            raise EOFError("it ends too early")
        count -= len(piece)
        yield piece


def _extra(fields: bytes, kind: int) -> bytes:
    """The extra field of that kind, with its own head; empty where there is none."""
    while len(fields) >= 4:
        one, length = struct.unpack_from("<HH", fields)
        if one == kind:
            return fields[: 4 + length]
        fields = fields[4 + length :]
    return b""
