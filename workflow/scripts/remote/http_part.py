"""A file that is not whole yet, and the journal that says which of its bytes lie safely on the disk."""

from __future__ import annotations

import bisect
import errno
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from containers.kit.files import write_json
from workflow.scripts.remote.alone import lock, same

SCHEMA = 1
NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)  # some network file systems
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def beside(target: Path, what: str) -> Path:
    return target.with_name(f"{target.name}.{what}")


class Part:
    """The bytes that came so far. Threads write with `writing` held; what is written counts at once."""

    def __init__(self, target: Path, handle: int) -> None:
        self.target, self.handle = target, handle
        self.path, self.journal = beside(target, "part"), beside(target, "journal")
        self.size: int | None = None
        self.validator, self.address = "", ""
        self.done: list[list[int]] = []  # ranges, sorted, with gaps between them
        self.came = 0
        self.lock = threading.Lock()
        self.writing = threading.Lock()  # one at a time: several would spin on the lock that a file has
        self.spoilt = False
        self._load()

    def _load(self) -> None:
        """Take the journal's word where it fits the file; else begin anew."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            told = json.loads(self.journal.read_text(encoding="utf-8"))
            done = [[int(start), int(end)] for start, end in told["done"]]
            flat = [0, *(place for pair in done for place in pair), int(told["size"])]
            if told["schema"] == SCHEMA and flat == sorted(flat) and os.fstat(self.handle).st_size == told["size"]:
                self.size, self.done = int(told["size"]), done
                self.validator, self.address = str(told["validator"]), str(told["address"])

    def begin(self, size: int | None, validator: str, address: str) -> None:
        """What is to come, and what is meanwhile known of it."""
        self.validator, self.address = validator, address
        if size is not None and size != self.size:
            os.ftruncate(self.handle, size)
        self.size = size

    def restart(self) -> None:
        """Forget all that came."""
        with self.lock:
            self.journal.unlink(missing_ok=True)
            os.ftruncate(self.handle, 0)
            self.size, self.validator, self.address, self.done = None, "", "", []

    def write(self, data: bytes, at: int) -> None:
        view, start = memoryview(data), at
        while view:
            count = os.pwrite(self.handle, view, at)
            view, at = view[count:], at + count
        with self.lock:
            self.came += at - start
            self._mark(start, at)

    def _mark(self, start: int, end: int) -> None:
        place = bisect.bisect_left(self.done, start, key=lambda pair: pair[1])
        if place < len(self.done) and self.done[place][0] <= start:  # it goes on where that one ended
            self.done[place][1] = max(self.done[place][1], end)
        else:
            self.done.insert(place, [start, end])
        while place + 1 < len(self.done) and self.done[place + 1][0] <= self.done[place][1]:
            self.done[place][1] = max(self.done[place][1], self.done.pop(place + 1)[1])

    def there(self) -> int:
        with self.lock:
            return sum(end - start for start, end in self.done)

    def prefix(self) -> int:
        with self.lock:
            return self.done[0][1] if self.done and not self.done[0][0] else 0

    def missing(self) -> list[tuple[int, int]]:
        """The gaps, in order; the size is known."""
        with self.lock:
            ends = [0, *(end for _, end in self.done)]
            starts = [*(start for start, _ in self.done), self.size or 0]
        return [(start, end) for start, end in zip(ends, starts, strict=True) if start < end]

    def taken(self) -> int:
        """The room that it has on the disk already."""
        return os.fstat(self.handle).st_blocks * 512

    def save(self) -> None:
        """Write the journal; what it tells of is on the disk before."""
        if self.size is None or self.spoilt:
            return
        with self.lock:
            done = [list(pair) for pair in self.done]
        try:
            os.fdatasync(self.handle)
        except OSError:
            self.spoilt = True  # the kernel forgets what it could not write, and says so once only
            raise
        told = {"schema": SCHEMA, "size": self.size, "validator": self.validator, "address": self.address, "done": done}
        write_json(self.journal, told)

    def finish(self) -> None:
        """It is whole: it gets its name, and that stays when the power goes."""
        os.fsync(self.handle)
        self.path.rename(self.target)
        folder = os.open(self.target.parent, os.O_RDONLY)
        try:
            with suppress(OSError):  # some network file systems cannot flush a folder
                os.fsync(folder)
        finally:
            os.close(folder)

    def drop(self) -> None:
        self.journal.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)


@contextmanager
def held(target: Path) -> Iterator[Part | None]:
    """The part of this file, for this process alone; None where another has just ended with it, so that one looks anew.

    What is locked is the part itself, so that no other file stays behind.
    """
    path = beside(target, "part")
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    part: Part | None = None
    try:
        _lock(handle, target)
        part = Part(target, handle) if same(handle, path, follow_symlinks=False) else None
        yield part
    finally:
        if part and not part.done and same(handle, path, follow_symlinks=False):
            part.drop()
        os.close(handle)


def _lock(handle: int, target: Path) -> None:
    try:
        lock(handle, f"another process fetches {target}; waiting until it has ended")
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
