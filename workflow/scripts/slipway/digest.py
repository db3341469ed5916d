"""The digest of one member of an image archive, fed chunk by chunk, whether its layer is packed or not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from isal import igzip_lib

from containers.kit.errors import UserError

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
GzipError: type[Exception] = igzip_lib.IsalError  # type: ignore[assignment]  # the stub calls it an instance
REMEDY = "save again, and if it stays so, rebuild and test the image"
INFLATED = 4 << 20  # bytes out of the decompressor at once: a few bytes may hide gigabytes


@dataclass(frozen=True)
class Layer:
    """A layer by the digest and size of its unpacked tar, which is what a config's `diff_ids` name."""

    digest: str
    size: int


class Digest:
    """Digests the bytes as they are stored and, where they are gzip, what they unpack to as well."""

    def __init__(self, keeps_text: bool) -> None:
        self.text = b""  # of a JSON member, for the caller to read
        self.packing = ""  # gzip, zstd or none
        self._keeps_text = keeps_text
        self._size = 0
        self._stored = hashlib.sha256()
        self._inner = hashlib.sha256()
        self._unpacked: Unpacked | None = None

    def feed(self, chunk: bytes) -> None:
        if not self._size:
            self._begin(chunk)
        self._size += len(chunk)
        self._stored.update(chunk)
        if self._keeps_text:
            self.text += chunk
        if self._unpacked is not None:
            self._unpacked.feed(chunk)

    @property
    def stored(self) -> str:
        return f"sha256:{self._stored.hexdigest()}"

    def layer(self) -> Layer:
        if self._unpacked is None:
            return Layer(self.stored, self._size)
        return Layer(f"sha256:{self._inner.hexdigest()}", self._unpacked.size)

    def _begin(self, chunk: bytes) -> None:
        self._keeps_text = self._keeps_text and chunk[:1] in (b"{", b"[")
        if chunk.startswith(GZIP):
            self.packing, self._unpacked = "gzip", Unpacked("a layer in the engine's archive", self._inner.update)
        elif chunk.startswith(ZSTD):
            self.packing = "zstd"


class Unpacked:
    """Gives `take` what a gzip stream, of one member or several, unpacks to. Errors call the stream `name`."""

    def __init__(self, name: str, take: Callable[[bytes], object]) -> None:
        self._name = name
        self._take = take
        self._size = 0
        self._source = _decompressor()

    def feed(self, chunk: bytes) -> None:
        if self._source.eof:
            self._source = _decompressor()
        while True:
            try:
                plain = self._source.decompress(chunk, INFLATED)
            except GzipError as error:
                raise UserError(f"{self._name} is damaged gzip ({error}); {REMEDY}") from None
            self._take(plain)
            self._size += len(plain)
            if self._source.eof and self._source.unused_data:
                chunk, self._source = self._source.unused_data, _decompressor()
            elif self._source.eof or self._source.needs_input:
                return
            else:
                chunk = b""

    @property
    def size(self) -> int:
        """In bytes, once the stream has ended."""
        if not self._source.eof:
            raise UserError(f"{self._name} is gzip that ends early; {REMEDY}")
        return self._size


def _decompressor() -> igzip_lib.IgzipDecompressor:
    return igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_GZIP)
