"""Photos decoded ahead of the network: in order, by as many threads as asked for, and never many at a time."""

from __future__ import annotations

import threading
import time
import weakref
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from containers.objectnet import pictures, prefetch
from containers.objectnet.inference import logits
from tests.objectnet_eval import parts

COUNT = 60


class Numbers(np.ndarray[Any, Any]):
    """An array that a weak reference can follow."""


class Counting:
    """A transform that knows how many of its results are alive, and which threads it ran in."""

    def __init__(self) -> None:
        self.lock = threading.RLock()  # a result may end while its own thread holds it
        self.alive = self.most = self.made = 0
        self.together = self.most_together = 0
        self.threads: set[str] = set()

    def __call__(self, photo: Image.Image) -> Numbers:
        with self.lock:
            self.together += 1
            self.most_together = max(self.most_together, self.together)
        time.sleep(0.002)  # the others get their turn
        numbers = Numbers((3, 4, 4), np.float32)  # owns what it holds, so that views of it keep it alive
        numbers[:] = np.asarray(photo)[0, 0, 0]
        with self.lock:
            self.made += 1
            self.together -= 1
            self.threads.add(threading.current_thread().name)
            self.alive += 1
            self.most = max(self.most, self.alive)
        weakref.finalize(numbers, self._gone)
        return numbers

    def _gone(self) -> None:
        with self.lock:
            self.alive -= 1


@pytest.fixture(scope="module")
def shades(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Each photo is of its own grey."""
    folder = tmp_path_factory.mktemp("shades")
    for number in range(COUNT):
        Image.new("RGB", (8, 8), (number,) * 3).save(folder / f"{number:02}.png")
    return pictures.find(folder)


def test_the_order_is_that_of_the_names_for_any_number_of_threads(shades: list[Path]) -> None:
    for workers in (1, 2, 7):
        found = prefetch.batches(shades, Counting(), batch_size=7, workers=workers, border=2)
        sizes, greys = [], []
        for batch in found:
            sizes.append(len(batch.paths))
            greys += batch.numbers[:, 0, 0, 0].tolist()
            assert [float(path.stem) for path in batch.paths] == batch.numbers[:, 0, 0, 0].tolist()
        assert greys == list(range(COUNT))
        assert sizes == [7] * 8 + [4]


@pytest.mark.parametrize("workers", [1, 3])
def test_as_many_threads_as_asked_for(shades: list[Path], workers: int) -> None:
    counting = Counting()
    assert len(list(prefetch.batches(shades, counting, batch_size=10, workers=workers, border=2))) == 6
    assert len(counting.threads) == workers
    assert counting.most_together == workers
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decode")]


def test_a_slow_network_has_few_photos_waiting(shades: list[Path]) -> None:
    counting, network, size = Counting(), Slow(), 4
    bound = (prefetch.AHEAD + 1) * size
    begun = [len(answers.paths) for answers in watched(shades, counting, network, size, bound)]
    assert sum(begun) == COUNT
    assert counting.made == COUNT
    assert prefetch.AHEAD * size <= counting.most <= bound


class Slow:
    def __call__(self, batch: Any, /) -> Any:
        time.sleep(0.05)
        return batch[:, 0, 0, :1]


def watched(paths: list[Path], counting: Counting, network: Slow, size: int, bound: int) -> Any:
    answered = logits(paths, counting, network, batch_size=size, workers=3, border=2)
    with closing(answered):
        done = 0
        for answers in answered:
            done += len(answers.paths)
            assert counting.made - done <= bound
            yield answers


def test_one_that_is_closed_early_leaves_no_thread_and_reads_no_more(shades: list[Path]) -> None:
    counting = Counting()
    found = logits(shades, counting, Slow(), batch_size=2, workers=2, border=2)
    next(found)
    found.close()
    assert counting.made <= (prefetch.AHEAD + 1) * 2
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decode")]


def test_flip_is_the_mean_with_the_mirror_image(tmp_path: Path) -> None:
    folder = parts.folder_of(tmp_path / "in", 3)
    paths = pictures.find(folder)

    def seen(photo: Image.Image) -> Any:
        return np.asarray(photo, np.float32).transpose(2, 0, 1)

    def network(batch: Any, /) -> Any:
        return np.stack([batch[:, 0, 0, 0], batch[:, 1, 0, -1], batch[:, 2].mean(axis=(1, 2))], axis=1)

    (answers,) = logits(paths, seen, network, batch_size=9, workers=1, border=2, tta="flip")
    for row, path in zip(answers.logits, paths, strict=True):
        pixels = np.asarray(Image.open(path))[2:-2, 2:-2].astype(np.float64)
        left, right = pixels[0, 0], pixels[0, -1]
        expected = [(left[0] + right[0]) / 2, (left[1] + right[1]) / 2, pixels[..., 2].mean()]
        np.testing.assert_allclose(row, expected, rtol=1e-5)
