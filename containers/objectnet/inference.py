"""A network's answers to any number of photos."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

from containers.kit.progress import bar
from containers.objectnet.prefetch import Floats, batches
from containers.objectnet.settings import Tta

NO_NUMBER = "what the network says of it is no number"


class Network(Protocol):
    def __call__(self, batch: Floats, /) -> Floats:
        """Photos as n x 3 x height x width; n rows of logits."""
        ...


@dataclass(frozen=True)
class Answers:
    """Of one batch."""

    paths: list[Path]  # of the photos that were answered, in order
    logits: Floats  # a row each
    unreadable: list[tuple[Path, str]]  # the others, and why


def logits(
    paths: Sequence[Path],
    transform: Callable[[Image.Image], Any],
    backend: Network,
    *,
    batch_size: int,
    workers: int,
    border: int,
    tta: Tta = "none",
    title: str = "",
) -> Generator[Answers]:
    """Answers in the order of `paths`, for `batch_size` of them at a time; close it to stop before the end.

    What is in memory does not grow with the number of photos.
    """
    waiting = batches(paths, transform, batch_size=batch_size, workers=workers, border=border)
    with bar(total=len(paths), title=title) as told, closing(waiting):
        for batch in waiting:
            answers = _answers(batch.numbers, backend, tta) if batch.paths else np.empty((0, 0), np.float32)
            told.update(len(batch.paths) + len(batch.unreadable))
            finite = [bool(np.isfinite(row).all()) for row in answers]
            no_number = [(path, NO_NUMBER) for path, fine in zip(batch.paths, finite, strict=True) if not fine]
            paths = [path for path, fine in zip(batch.paths, finite, strict=True) if fine]
            yield Answers(paths, answers[finite] if no_number else answers, batch.unreadable + no_number)


def _answers(batch: Floats, backend: Network, tta: Tta) -> Floats:
    if tta == "none":
        return backend(batch)
    mirrored = backend(np.ascontiguousarray(batch[..., ::-1]))
    return (backend(batch) + mirrored) / np.float32(2)
