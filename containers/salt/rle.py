"""Masks as the challenge writes them: pairs of start and length, down the columns, where the first pixel is 1."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from containers.kit.errors import UserError

SIZE = 101
PIXELS = SIZE * SIZE
CHUNK = 256  # masks at once, so that what is made of them stays in the cache
NUMBER = re.compile(r"-?[0-9]{1,9}", re.ASCII)
TEXTS = [str(number) for number in range(PIXELS + 1)]

Masks = npt.NDArray[np.bool_]


def encode(mask: Masks) -> str:
    """The runs of one mask; runs that touch at a column's end are one. An empty mask is the empty text."""
    return encode_all(mask[None])[0]


def encode_all(masks: Masks) -> list[str]:
    return [text for begin in range(0, len(masks), CHUNK) for text in _encoded(masks[begin : begin + CHUNK])]


def decode(text: str, where: str) -> Masks:
    """The mask of one text; `where` says in an error which text is wrong."""
    mask: Masks = decode_all([text], [where])[0]
    return mask


def decode_all(texts: Sequence[str], names: Sequence[str]) -> Masks:
    """The masks of many texts; the names say in an error which of them is wrong."""
    if len(texts) != len(names):
        raise ValueError(f"{len(texts)} texts, but {len(names)} names")
    masks = np.empty((len(texts), SIZE, SIZE), np.bool_)
    for begin in range(0, len(texts), CHUNK):
        chunk = slice(begin, begin + CHUNK)
        masks[chunk] = _decoded(texts[chunk], names[chunk])
    return masks


def fault(text: str) -> str | None:
    """What is wrong with a text, as the end of a sentence that begins with its place."""
    try:
        _numbers(text)
    except ValueError as error:
        return str(error)
    return None


def _encoded(masks: Masks) -> Iterator[str]:
    """Each run's start and end are the two places where neighbours differ, once the mask is padded with nothing."""
    if masks.shape[1:] != (SIZE, SIZE):
        raise ValueError(f"masks of {masks.shape[1:]}, not of {(SIZE, SIZE)}")
    padded = np.zeros((len(masks), PIXELS + 2), np.bool_)
    padded[:, 1:-1].reshape(len(masks), SIZE, SIZE)[:] = masks.transpose(0, 2, 1)
    of_mask, edges = np.nonzero(padded[:, 1:] != padded[:, :-1])
    numbers = edges + 1
    numbers[1::2] -= numbers[::2]
    pieces = list(map(TEXTS.__getitem__, numbers.tolist()))
    ends = np.cumsum(np.bincount(of_mask, minlength=len(masks))).tolist()
    for begin, end in zip([0, *ends], ends, strict=False):
        yield " ".join(pieces[begin:end])


def _decoded(texts: Sequence[str], names: Sequence[str]) -> Masks:
    """One up at each start and one down behind each end; the sum of both along a mask is the mask."""
    numbers: list[int] = []
    counts = []
    for text, name in zip(texts, names, strict=True):
        try:
            found = _numbers(text)
        except ValueError as error:
            raise UserError(f"{name} {error}") from None
        numbers += found
        counts.append(len(found) // 2)
    starts, lengths = np.array(numbers, np.intp).reshape(-1, 2).T
    of_mask = np.repeat(np.arange(len(texts)), counts)
    steps = np.zeros((len(texts), PIXELS + 1), np.int8)
    steps[of_mask, starts - 1] += 1  # no start is there twice in a mask, nor is an end, as no two runs overlap
    steps[of_mask, starts - 1 + lengths] -= 1
    flat = np.cumsum(steps[:, :-1], axis=1, dtype=np.int8).view(np.bool_)
    return flat.reshape(-1, SIZE, SIZE).transpose(0, 2, 1)


def _numbers(text: str) -> list[int]:
    """Starts and lengths in turns. A ValueError says what breaks the grammar."""
    words = text.split(" ") if text else []
    if not (text.isascii() and text.replace(" ", "").isdigit() and len(max(words, key=len)) <= 9):
        for word in words:
            if word and not NUMBER.fullmatch(word):
                raise ValueError(f"has {word[:40]!r} where a number must stand; write pairs of start and length")
    numbers = [int(word) for word in words if word]
    if len(numbers) % 2:
        raise ValueError(f"has {len(numbers)} numbers, which are no pairs; write a length behind every start")
    begun, past = 1, 1  # the run before: its start, and the pixel behind it
    for start, length in zip(numbers[::2], numbers[1::2], strict=True):
        if start < 1:
            raise ValueError(f"starts a run at {start}; the first pixel is 1")
        if length < 1:
            raise ValueError(f"has a run of length {length} at {start}; a run has at least one pixel")
        if start < begun:
            raise ValueError(f"starts a run at {start} behind the one at {begun}; sort the runs by their starts")
        if start < past:
            raise ValueError(
                f"starts a run at {start}, inside the one from {begun} to {past - 1}; no pixel counts twice"
            )
        begun, past = start, start + length
        if past > PIXELS + 1:
            raise ValueError(f"has a run from {start} to {past - 1}; an image's last pixel is {PIXELS}")
    return numbers
