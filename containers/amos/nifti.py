"""NIfTI files as streams: the header, then the voxels plane by plane, each read once and from the front.

Whatever a file can be broken by is said in one sentence that begins with its path.
"""

from __future__ import annotations

import gzip
import io
import logging
import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import numpy as np
from isal import igzip, isal_zlib
from isal.igzip_lib import IsalError
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spatialimages import HeaderDataError

from containers.kit.errors import UserError

Order = Literal["little", "big"]
ORDERS: tuple[Order, ...] = ("little", "big")
GZIP, GZIP_FORMAT = b"\x1f\x8b", 31  # the number is zlib's
CHUNK = 1 << 20
FATAL = 40  # nibabel's own threshold: what is less it repairs
HEADERS: dict[int, type[Nifti1Header]] = {348: Nifti1Header, 540: Nifti2Header}  # by the number that begins the file
DAMAGED: Any = (gzip.BadGzipFile, IsalError)
KINDS = {"c": "complex numbers", "V": "colours"}


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The file's bytes, decompressed where its content (not its name) says gzip; only ever read forwards."""
    with ExitStack() as stack, _told(path):
        if path.is_dir():
            raise UserError(f"{path} is a folder, not an image")
        raw: Any = stack.enter_context(path.open("rb"))
        begin = raw.peek(len(GZIP))[: len(GZIP)]
        if not begin:
            raise UserError(f"{path} is empty; copy it again")
        yield stack.enter_context(igzip.IGzipFile(fileobj=raw, mode="rb")) if begin == GZIP else raw


def read_header(path: Path) -> Nifti1Header:
    """The header as it stands in the file, unrepaired; `repaired` gives the one to work with."""
    block = _beginning(path, max(HEADERS))
    length = next((int.from_bytes(block[:4], order) for order in ORDERS if _is_length(block[:4], order)), 0)
    if not length and len(block) >= 4:
        raise UserError(f"{path} is no NIfTI file: it does not begin with a header's length of 348 or 540")
    if len(block) < max(length, 4):
        raise UserError(f"{path} is cut short: it ends within its header; copy it again")
    header: Nifti1Header = HEADERS[length](block[:length], check=False)
    magic = header["magic"].item()
    if magic[:3] != header.single_magic[:3]:  # NIfTI-2 has more bytes after these
        raise UserError(f"{path} is no NIfTI file with its voxels inside: its magic is {magic!r}")
    return header


def repaired(path: Path, header: Nifti1Header) -> Nifti1Header:
    """A copy with the small mistakes mended as nibabel mends them; what is beyond that is refused."""
    good: Nifti1Header = header.copy()
    try:
        good.check_fix(logger=_SILENT, error_level=FATAL)
    except (HeaderDataError, ValueError) as error:
        raise UserError(f"{path} has a broken header ({error}); write it again") from None
    return good


def voxel_type(path: Path, header: Nifti1Header) -> np.dtype[Any]:
    """Of the voxels in the file: integers or floats of any length, one value a voxel."""
    kind: np.dtype[Any] = header.get_data_dtype()
    if kind.kind not in "iuf":
        what = KINDS.get(kind.kind, str(kind))
        raise UserError(f"{path} has {what} for voxels; it should have one number a voxel, such as HU")
    return kind


def planes(path: Path, header: Nifti1Header, shape: tuple[int, int, int]) -> Iterator[np.ndarray[Any, Any]]:
    """The voxels as they stand in the file, unscaled, by planes of its slowest axis; one buffer serves them all.

    The end of the file is read as well, since a gzip stream ends with the checksum of all that it holds.
    """
    kind = header.get_data_dtype()
    buffer = np.empty(math.prod(shape[:2]) * kind.itemsize, np.uint8)
    plane = buffer.view(kind).reshape(shape[1], shape[0])
    with opened(path) as stream:
        _skip(path, stream, header.get_data_offset())
        for number in range(shape[2]):
            if not _fill(stream, buffer.data):
                raise UserError(
                    f"{path} is cut short: its header says {shape[2]} planes and its voxels end in plane "
                    f"{number + 1}; copy it again"
                )
            yield plane
        while stream.read(CHUNK):
            continue


def _beginning(path: Path, length: int) -> bytes:
    """As many bytes as there are, also of a gzip stream that was cut short further on."""
    with opened(path) as stream, suppress(EOFError):
        return bytes(stream.read(length))
    with _told(path), path.open("rb") as raw:
        return isal_zlib.decompressobj(GZIP_FORMAT).decompress(raw.read(CHUNK), length)


def _is_length(block: bytes, order: Order) -> bool:
    return int.from_bytes(block, order) in HEADERS


def _skip(path: Path, stream: Any, count: int) -> None:
    while count:
        got = len(stream.read(min(count, CHUNK)))
        if not got:
            raise UserError(f"{path} is cut short: it ends before its voxels begin; copy it again")
        count -= got


def _fill(stream: Any, view: memoryview) -> bool:
    done = 0
    while done < len(view):
        got = stream.readinto(view[done:])
        if not got:
            return False
        done += got
    return True


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What reading raises, as a sentence."""
    try:
        yield
    except EOFError:
        raise UserError(f"{path} is cut short: its gzip stream has no end; copy it again") from None
    except DAMAGED as error:
        raise UserError(f"{path} is damaged ({str(error).rstrip('.')}); copy it again") from None
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror or error}); see that it is there and readable"
        ) from None


_SILENT = logging.Logger("nibabel is quiet")
_SILENT.addHandler(logging.StreamHandler(io.StringIO()))
