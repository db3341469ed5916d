"""Zips written byte by byte: locked in the classic way, with sizes behind the contents, or with lies in them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LARGE = 0xFFFFFFFF
TIME, DATE = 0x6CA5, 0x5B21
TABLE = [0] * 256
for _number in range(256):
    _value = _number
    for _ in range(8):
        _value = _value >> 1 ^ (0xEDB88320 if _value & 1 else 0)
    TABLE[_number] = _value


@dataclass(frozen=True)
class Raw:
    """A member; what is None is as it should be."""

    name: str
    data: bytes
    password: str = ""
    method: int = 8
    behind: bool = False  # its sizes
    zip64: bool = False
    local_name: str | None = None
    size: int | None = None
    at: int | None = None  # the header that the directory names


def lock(data: bytes, password: str, check: int) -> bytes:
    """The classic encryption, behind a header whose last byte tells whether the password is right."""
    keys = [0x12345678, 0x23456789, 0x34567890]

    def update(byte: int) -> None:
        keys[0] = keys[0] >> 8 ^ TABLE[(keys[0] ^ byte) & 0xFF]
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & LARGE
        keys[2] = keys[2] >> 8 ^ TABLE[(keys[2] ^ keys[1] >> 24) & 0xFF]

    for byte in password.encode():
        update(byte)
    locked = bytearray()
    for byte in bytes(range(7, 18)) + bytes([check]) + data:
        low = keys[2] & 0xFFFF | 2
        locked.append(byte ^ (low * (low ^ 1) >> 8 & 0xFF))
        update(byte)
    return bytes(locked)


def write(path: Path, members: Sequence[Raw]) -> Path:
    body, directory = bytearray(), bytearray()
    for one in members:
        crc, size = zlib.crc32(one.data), len(one.data) if one.size is None else one.size
        # Without matches Deflate64 is the same as Deflate.
        packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_HUFFMAN_ONLY if one.method == 9 else 0)
        packed = packer.compress(one.data) + packer.flush() if one.method else one.data
        if one.password:
            packed = lock(packed, one.password, TIME >> 8 if one.behind else crc >> 24)
        flags = bool(one.password) | (8 if one.behind else 0)
        place = len(body) if one.at is None else one.at
        name, local = one.name.encode("cp437"), (one.name if one.local_name is None else one.local_name).encode("cp437")
        extra = struct.pack("<HHQQ", 1, 16, size, len(packed)) if one.zip64 else b""
        sizes = (crc, LARGE, LARGE) if one.zip64 else (crc, len(packed), size)
        own = (0, 0, 0) if one.behind else sizes
        body += b"PK\x03\x04" + struct.pack("<5H3I2H", 45, flags, one.method, TIME, DATE, *own, len(local), len(extra))
        body += local + extra + packed
        if one.behind:
            body += b"PK\x07\x08" + struct.pack("<3I", crc, len(packed), size)
        directory += b"PK\x01\x02" + struct.pack("<6H3I", 45, 45, flags, one.method, TIME, DATE, *sizes)
        directory += struct.pack("<5H2I", len(name), len(extra), 0, 0, 0, 0, place) + name + extra
    count = len(members)
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(body), 0)
    path.write_bytes(body + directory + end)
    return path
