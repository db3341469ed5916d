"""One thread beside the caller's, for work that leaves Python's lock alone, such as hashing."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from types import TracebackType

QUEUED = 16  # chunks in flight: enough to smooth the pace, little enough to bound the memory


class Worker:
    """Runs `function(chunk)` in the order of the submissions; the first error is raised in the caller's thread."""

    def __init__(self) -> None:
        self._tasks: queue.Queue[tuple[Callable[[bytes], object], bytes] | None] = queue.Queue(QUEUED)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Worker:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._tasks.put(None)
        self._thread.join()
        if error is None:
            self._complain()

    def submit(self, function: Callable[[bytes], object], chunk: bytes) -> None:
        self._complain()
        self._tasks.put((function, chunk))

    def _complain(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            if self._error is None:  # after an error the queue is only emptied, so that `submit` never waits forever
                try:
                    task[0](task[1])
                except BaseException as error:
                    self._error = error
