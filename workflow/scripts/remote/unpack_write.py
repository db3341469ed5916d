"""Writing what an archive holds: each member under another name first, and by several processes where that helps."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from containers.kit.cpus import available
from containers.kit.errors import UserError
from containers.kit.parent import die_with_parent
from containers.kit.progress import bar
from workflow.scripts.remote import unpack_zip
from workflow.scripts.remote.unpack_plan import Box, Member

WORTH = 64 << 20  # bytes of all from which on processes are started
BATCH_BYTES, BATCH_FILES = 32 << 20, 500
LOOK = 0.5  # seconds between two looks at how far they are
Came = Callable[[int], object]


@dataclass(frozen=True)
class Place:
    """Where to: members lie in `files` when they are whole, and in `parts` before."""

    files: Path
    parts: Path

    def write(self, box: Box, member: Member, chunks: Iterable[bytes], came: Came) -> None:
        part, file = self.parts / str(member.index), self.files / member.place
        size = 0
        with part.open("wb") as sink:
            for chunk in chunks:
                size += len(chunk)
                if size > member.size:
                    raise box.more_than_it_says(member.place)
                sink.write(chunk)
                came(len(chunk))
        if size != member.size:
            raise box.broken(f"{member.place} has {size:,} bytes of {member.size:,}")
        file.parent.mkdir(parents=True, exist_ok=True)
        part.replace(file)


def one_by_one(box: Box, members: Iterable[tuple[Member, Iterator[bytes]]], place: Place, size: int) -> None:
    with bar(total=size, title=_title(box), bytes_=True) as shown:
        for member, chunks in members:
            place.write(box, member, chunks, shown.update)


def zipped(archive: unpack_zip.Opened, members: Sequence[Member], place: Place, workers: int) -> None:
    size = sum(member.size for member in members)
    workers = min(workers or available(), available(), len(members))
    if workers > 1 and size >= WORTH and unpack_zip.slow(archive, members):
        _in_processes(archive.box, members, place, workers, size)
    else:
        one_by_one(archive.box, ((member, archive.contents(member)) for member in members), place, size)


def _in_processes(box: Box, members: Sequence[Member], place: Place, workers: int, size: int) -> None:
    context = multiprocessing.get_context("spawn")
    count, stop = context.Value("Q", 0), context.Value("b", 0)
    with (
        bar(total=size, title=_title(box), bytes_=True) as shown,
        ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(box, place, count, stop)) as pool,
    ):
        try:
            due: set[Future[None]] = {pool.submit(_write, batch) for batch in _batches(members)}
            while due:
                done, due = wait(due, LOOK, FIRST_COMPLETED)
                shown.update(count.value - shown.n)
                for one in done:
                    one.result()
        except BrokenProcessPool:
            raise UserError(
                f"a process that unpacked {box.name} was killed, most likely for want of memory; use fewer than "
                f"{workers} workers"
            ) from None
        finally:
            stop.value = 1
            pool.shutdown(wait=True, cancel_futures=True)


def _batches(members: Sequence[Member]) -> Iterator[list[Member]]:
    batch: list[Member] = []
    for member in members:
        batch.append(member)
        if len(batch) == BATCH_FILES or sum(one.size for one in batch) >= BATCH_BYTES:
            yield batch
            batch = []
    if batch:
        yield batch


class _StoppedError(Exception):
    """Another process failed, or the user has enough."""


@dataclass(frozen=True)
class _Worker:
    """What a process of the pool keeps from one batch to the next."""

    archive: unpack_zip.Opened
    place: Place
    count: Any
    stop: Any

    def came(self, size: int) -> None:
        if self.stop.value:
            raise _StoppedError
        with self.count.get_lock():
            self.count.value += size


_worker: list[_Worker] = []
_held = ExitStack()


def _begin(box: Box, place: Place, count: Any, stop: Any) -> None:
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that began this one says when it ends
    _worker.append(_Worker(_held.enter_context(unpack_zip.opened(box)), place, count, stop))


def _write(batch: Sequence[Member]) -> None:
    (worker,) = _worker
    for member in batch:
        worker.place.write(worker.archive.box, member, worker.archive.contents(member), worker.came)


def _title(box: Box) -> str:
    return f"unpacking {box.path.name}"
