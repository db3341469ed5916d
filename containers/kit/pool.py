"""Many independent pieces of work in a pool of processes, where one that fails does not stop the others."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from containers.kit.cpus import POOLS, available
from containers.kit.errors import UserError
from containers.kit.parent import die_with_parent
from containers.kit.progress import bar

T = TypeVar("T")
R = TypeVar("R")


def each(function: Callable[[T], R], items: Sequence[T], *, workers: int = 0, title: str = "") -> list[R | UserError]:
    """`function` of every item, in the items' order; a `UserError` that it raises stands in place of its result.

    `workers` 0 means one a CPU, which is also the most that are started. The function and the items must be picklable,
    since the processes are started fresh: a forked copy of a process that has run torch or SimpleITK can hang.
    """
    workers = min(workers or available(), available(), len(items))
    attempt = partial(_attempt, function)
    if workers <= 1:
        return [attempt(item) for item in bar(items, title=title)]
    results: dict[int, R | UserError] = {}
    context = multiprocessing.get_context("spawn")
    with _one_thread_each(), ProcessPoolExecutor(workers, context, initializer=die_with_parent) as pool:
        futures = {pool.submit(attempt, item): index for index, item in enumerate(items)}
        try:
            for future in bar(as_completed(futures), total=len(items), title=title):
                results[futures[future]] = future.result()
        except BrokenProcessPool:
            raise UserError(
                f"a process of '{title}' was killed, most likely for want of memory; use fewer than {workers} workers"
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return [results[index] for index in range(len(items))]


def _attempt(function: Callable[[T], R], item: T) -> R | UserError:
    try:
        return function(item)
    except UserError as error:
        return error


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let the processes that start meanwhile have one thread a library, which reads this when it is imported.

    A thread a CPU of the machine in each of them would break a container's limit of processes.
    """
    before = {name: os.environ.get(name) for name in POOLS}
    os.environ.update(dict.fromkeys(POOLS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
