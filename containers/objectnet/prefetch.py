"""Photos decoded by threads while the network is busy with others, of which only a few batches are in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from containers.kit.errors import UserError, one_line
from containers.objectnet.pictures import Unreadable, decode

Floats = np.ndarray[Any, np.dtype[np.float32]]
AHEAD = 2  # batches that are ready, or in the making, while the network has another


@dataclass(frozen=True)
class Batch:
    paths: list[Path]  # of the photos in `numbers`
    numbers: Floats  # n x 3 x height x width; of no length where none could be read
    unreadable: list[tuple[Path, str]]  # the others, and why


def batches(
    paths: Sequence[Path], transform: Callable[[Image.Image], Any], *, batch_size: int, workers: int, border: int
) -> Generator[Batch]:
    """Each `batch_size` of the paths in turn, by `workers` threads: Pillow and numpy let them run side by side."""
    prepare = partial(_prepared, transform=transform, border=border)
    pool = ThreadPoolExecutor(workers, "decode")
    begun: deque[tuple[Sequence[Path], list[Future[Floats]]]] = deque()
    starts = iter(range(0, len(paths), batch_size))
    try:
        while True:
            while len(begun) <= AHEAD and (start := next(starts, None)) is not None:
                some = paths[start : start + batch_size]
                begun.append((some, [pool.submit(prepare, path) for path in some]))
            if not begun:
                return
            yield _gathered(*begun.popleft())
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _prepared(path: Path, *, transform: Callable[[Image.Image], Any], border: int) -> Floats:
    photo = decode(path, border)
    try:
        numbers = np.asarray(transform(photo), np.float32)
    except UserError:
        raise
    except Exception as error:  # a participant's own may do anything
        raise UserError(
            f"the transform fails with {type(error).__name__}: {one_line(error)} ({path}); correct it"
        ) from error
    if numbers.ndim != 3:
        raise UserError(f"the transform gives {_shape(numbers)} for {path}; it must give 3 x height x width")
    return numbers


def _gathered(paths: Sequence[Path], futures: list[Future[Floats]]) -> Batch:
    """Wait for the threads to be done with one batch."""
    good: list[Path] = []
    bad: list[tuple[Path, str]] = []
    numbers = np.empty((0, 0, 0, 0), np.float32)
    for path, future in zip(paths, futures, strict=True):
        try:
            one = future.result()
        except Unreadable as error:
            bad.append((path, str(error)))
            continue
        if not good:
            numbers = np.empty((len(paths), *one.shape), np.float32)
        elif one.shape != numbers.shape[1:]:
            raise UserError(
                f"the transform gives {_shape(one)} for {path} and {_shape(numbers[0])} for {good[0]}; "
                "it must give one size for all photos, as CenterCrop does"
            )
        numbers[len(good)] = one
        good.append(path)
    return Batch(good, numbers[: len(good)], bad)


def _shape(numbers: Floats) -> str:
    return " x ".join(map(str, numbers.shape)) or "one number"
