"""What ITK does not check of a MetaImage: that the voxels it decompressed are those that were written.

ITK reads a compressed MetaImage with a few wrong bytes in it without a word, and fills the rest of the volume with
whatever the memory held. The zlib stream ends with a checksum of all voxels, so comparing costs one pass over them.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from containers.kit.errors import UserError

HEADER_LIMIT = 1 << 16
LAST_KEY = "ElementDataFile"


def read_keys(path: Path) -> tuple[dict[str, str], int]:
    """The header's keys, and at which byte what follows it begins; no keys where the file is no MetaImage."""
    keys: dict[str, str] = {}
    with path.open("rb") as stream:
        while stream.tell() < HEADER_LIMIT and (line := stream.readline(HEADER_LIMIT)):
            key, equals, value = line.decode("latin-1").partition("=")
            if not equals:
                break
            keys[key.strip()] = value.strip()
            if key.strip() == LAST_KEY:
                return keys, stream.tell()
    return {}, 0


def is_compressed(keys: dict[str, str]) -> bool:
    return keys.get("CompressedData", "").lower() in ("true", "1")


def check_length(path: Path, expected: int) -> None:
    """Raise a `UserError` when an uncompressed file is too short for `expected` bytes of voxels, read or not."""
    keys, offset = read_keys(path)
    data = _data_file(path, keys)
    if data and data.stat().st_size - (offset if data == path else 0) < expected:
        raise UserError(
            f"{path} is truncated: its voxels take {expected} bytes, and {data.name} has fewer; fetch it again"
        )


def check_voxels(path: Path, voxels: np.ndarray[Any, Any]) -> None:
    """Raise a `UserError` when `voxels`, a whole C-contiguous volume that ITK read, are not those of the file."""
    keys, offset = read_keys(path)
    data = _data_file(path, keys)
    if not data or not is_compressed(keys):
        return
    begin = offset if data == path else 0
    length = int(keys.get("CompressedDataSize", "0")) or data.stat().st_size - begin
    with data.open("rb") as stream:
        stream.seek(begin + length - 4, os.SEEK_SET)
        written = int.from_bytes(stream.read(4), "big")
    big_endian = any(keys.get(f"{name}ByteOrderMSB", "").lower() in ("true", "1") for name in ("BinaryData", "Element"))
    if zlib.adler32((voxels.byteswap() if big_endian else voxels).data) != written:
        raise UserError(f"{path} is damaged: its voxels do not match the checksum that was written; fetch it again")


def _data_file(path: Path, keys: dict[str, str]) -> Path | None:
    """The one file that holds the voxels; None where there are several, which ITK alone can join, or no MetaImage."""
    if LAST_KEY not in keys or keys.get("HeaderSize", "0") != "0":
        return None
    data = path if keys[LAST_KEY].upper() == "LOCAL" else path.parent / keys[LAST_KEY]
    return data if data.is_file() else None
