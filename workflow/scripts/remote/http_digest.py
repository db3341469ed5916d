"""The checksum of a file while it comes, and what it should be."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import threading
from collections.abc import Mapping
from pathlib import Path

from containers.kit.progress import bar
from workflow.scripts.remote.http_part import Part
from workflow.scripts.remote.table import Http

PIECE = 1 << 20
POLL = 0.02
LONG = 1 << 28  # bytes whose checking is worth a progress bar
FIELD = re.compile(r"\s*([\w-]+)\s*=\s*:?([A-Za-z0-9+/=]+):?\s*")
NAMES = {"sha-256": "sha256", "md5": "md5"}


class Digest(threading.Thread):
    """Follows the part from its beginning, as far as its bytes are there without a gap."""

    def __init__(self, part: Part, kinds: tuple[str, ...]) -> None:
        super().__init__(daemon=True)
        self.part, self.at = part, 0
        self.sums = {kind: hashlib.new(kind, usedforsecurity=False) for kind in kinds}
        self.whole, self.stopped = threading.Event(), threading.Event()
        self.failed: OSError | None = None

    def run(self) -> None:
        buffer = memoryview(bytearray(PIECE))
        try:
            while not self.stopped.is_set():
                known = self.whole.is_set()  # asked before the prefix, so that nothing comes between the two
                there = self.part.prefix()
                if there - self.at >= PIECE or (known and there > self.at):
                    self._add(buffer[: min(PIECE, there - self.at)])
                elif known:
                    return
                else:
                    self.whole.wait(POLL)
        except OSError as error:
            self.failed = error

    def _add(self, buffer: memoryview) -> None:
        count = os.preadv(self.part.handle, [buffer], self.at)
        if not count:
            raise OSError(0, "ended before its end", str(self.part.path))
        for one in self.sums.values():
            one.update(buffer[:count])
        self.at += count

    def result(self, size: int) -> dict[str, str]:
        """The checksums of all `size` bytes, which are there now."""
        self.whole.set()
        with bar(total=size, initial=self.at, title="checksum", bytes_=True, quiet=size - self.at < LONG) as told:
            while self.is_alive():
                self.join(0.1)
                told.update(self.at - told.n)
        if self.failed:
            raise self.failed
        return {kind: one.hexdigest() for kind, one in self.sums.items()}

    def stop(self) -> None:
        self.stopped.set()
        self.whole.set()
        if self.is_alive():
            self.join()


def expected(wanted: Http) -> dict[str, str]:
    """By kind; that of SHA-256 may be its beginning alone."""
    if wanted.sha256:
        return {"sha256": wanted.sha256}
    return {"md5": wanted.md5} if wanted.md5 else {}


def kinds(wanted: Http, said: Mapping[str, str]) -> tuple[str, ...]:
    """What is computed: SHA-256 and what the server said, for a file of which the table knows nothing."""
    return tuple(expected(wanted)) or tuple(sorted({"sha256", *said}))


def of_file(path: Path, wanted: Http) -> dict[str, str]:
    sums = {kind: hashlib.new(kind, usedforsecurity=False) for kind in kinds(wanted, {})}
    size = path.stat().st_size
    with path.open("rb") as stream, bar(total=size, title=path.name, bytes_=True, quiet=size < LONG) as told:
        while piece := stream.read(PIECE):
            for one in sums.values():
                one.update(piece)
            told.update(len(piece))
    return {kind: one.hexdigest() for kind, one in sums.items()}


def differs(got: Mapping[str, str], due: Mapping[str, str]) -> str:
    """What is wrong, in words; empty where nothing is."""
    for kind, wanted in due.items():
        if kind in got and not got[kind].startswith(wanted):
            return f"its {kind} is {got[kind]} and not {wanted}"
    return ""


def promised(headers: Mapping[str, str], whole: bool) -> dict[str, str]:
    """What the server says of the whole file. Content-MD5 is of what is sent, which may be a part."""
    found = {}
    for name in ("Digest", "Repr-Digest"):
        for one in headers.get(name, "").split(","):
            told = FIELD.fullmatch(one)
            if told and told[1].lower() in NAMES:
                found[NAMES[told[1].lower()]] = _hexadecimal(told[2])
    if whole and "Content-MD5" in headers:
        found["md5"] = _hexadecimal(headers["Content-MD5"].strip())
    return {kind: text for kind, text in found.items() if len(text) == 2 * hashlib.new(kind).digest_size}


def _hexadecimal(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).hex()
    except (binascii.Error, ValueError):
        return ""
