"""Masks as text and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.kit.errors import UserError
from containers.salt import rle
from containers.salt.rle import PIXELS, SIZE, Masks
from tests.salt_core import slow


def pixels(*places: tuple[int, int]) -> Masks:
    mask = np.zeros((SIZE, SIZE), np.bool_)
    for place in places:
        mask[place] = True
    return mask


@settings(max_examples=60, deadline=None)
@given(slow.masks())
def test_encode_and_decode_are_inverse_and_agree_with_the_slow_ones(mask: Masks) -> None:
    text = rle.encode(mask)
    assert text == slow.encode(mask)
    again = rle.decode(text, "it")
    assert np.array_equal(again, mask)
    assert again.dtype == np.bool_


@settings(max_examples=15, deadline=None)
@given(st.lists(slow.masks(), max_size=4), st.integers(1, 3))
def test_many_masks_are_as_each_alone_wherever_chunks_end(masks: list[Masks], chunk: int) -> None:
    stack = np.array(masks, np.bool_).reshape(-1, SIZE, SIZE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rle, "CHUNK", chunk)
        texts = rle.encode_all(stack)
        assert texts == [slow.encode(mask) for mask in masks]
        assert np.array_equal(rle.decode_all(texts, [str(number) for number in range(len(texts))]), stack)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 300), st.integers(1, 300)), max_size=12))
def test_any_valid_runs_decode_as_the_slow_one_and_encode_merges_those_that_touch(gaps: list[tuple[int, int]]) -> None:
    runs: list[int] = []
    past = 1
    for gap, length in gaps:
        runs += [past + gap, length]
        past += gap + length
    text = " ".join(map(str, runs))
    mask = rle.decode(text, "it")
    assert np.array_equal(mask, slow.decode(text))
    merged = [int(word) for word in rle.encode(mask).split()]
    ends = [start + length for start, length in zip(merged[::2], merged[1::2], strict=True)]
    assert all(start > end for start, end in zip(merged[2::2], ends, strict=False))
    assert sum(merged[1::2]) == sum(runs[1::2])


@pytest.mark.parametrize(
    ("mask", "text"),
    [
        (pixels(), ""),
        (np.ones((SIZE, SIZE), np.bool_), f"1 {PIXELS}"),
        (pixels((0, 0)), "1 1"),
        (pixels((1, 0)), "2 1"),
        (pixels((0, 1)), "102 1"),
        (pixels((100, 0)), "101 1"),
        (pixels((100, 0), (0, 1)), "101 2"),
        (pixels((100, 100)), f"{PIXELS} 1"),
        (pixels((0, 0), (100, 100)), f"1 1 {PIXELS} 1"),
        (pixels((5, 3), (7, 3)), "309 1 311 1"),
    ],
)
def test_pixels_count_down_the_columns_from_one(mask: Masks, text: str) -> None:
    assert rle.encode(mask) == text
    assert np.array_equal(rle.decode(text, "it"), mask)


def test_runs_that_touch_decode_to_one() -> None:
    mask = rle.decode("1 2 3 4", "it")
    assert rle.encode(mask) == "1 6"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 x", "has 'x' where a number must stand"),
        ("1.0 2", "has '1.0' where a number must stand"),
        ("+1 2", "has '+1' where a number must stand"),
        ("1_0 2", "has '1_0' where a number must stand"),
        ("nan", "has 'nan' where a number must stand"),
        ("1\t2", r"has '1\t2' where a number must stand"),
        ("١ ٢", "has '١' where a number must stand"),
        ("² 1", "has '²' where a number must stand"),
        ("1 99999999999999999999", "has '99999999999999999999' where a number must stand"),
        ("1 2 3", "has 3 numbers, which are no pairs; write a length behind every start"),
        ("0 5", "starts a run at 0; the first pixel is 1"),
        ("-3 5", "starts a run at -3; the first pixel is 1"),
        ("3 0", "has a run of length 0 at 3; a run has at least one pixel"),
        ("3 -1", "has a run of length -1 at 3; a run has at least one pixel"),
        ("9 1 3 1", "starts a run at 3 behind the one at 9; sort the runs by their starts"),
        ("3 4 6 1", "starts a run at 6, inside the one from 3 to 6; no pixel counts twice"),
        ("3 4 3 4", "starts a run at 3, inside the one from 3 to 6; no pixel counts twice"),
        ("10201 2", "has a run from 10201 to 10202; an image's last pixel is 10201"),
        ("10202 1", "has a run from 10202 to 10202; an image's last pixel is 10201"),
        ("1 999999999", "has a run from 1 to 999999999; an image's last pixel is 10201"),
    ],
)
def test_what_breaks_the_grammar_is_one_sentence_with_its_place(text: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        rle.decode(text, "line 7 (0123456789)")
    assert str(caught.value).startswith(f"line 7 (0123456789) {said}")
    assert str(caught.value) == f"line 7 (0123456789) {rle.fault(text)}"


def test_more_spaces_than_needed_are_taken() -> None:
    assert rle.encode(rle.decode(" 1  2 ", "it")) == "1 2"
    assert rle.fault("  ") is None


def test_the_wrong_one_of_many_is_named() -> None:
    with pytest.raises(UserError, match=r"^b starts a run at 0; the first pixel is 1$"):
        rle.decode_all(["1 1", "0 1", ""], ["a", "b", "c"])


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"masks of \(128, 128\), not of \(101, 101\)"):
        rle.encode_all(np.zeros((2, 128, 128), np.bool_))
    with pytest.raises(ValueError, match="2 texts, but 1 names"):
        rle.decode_all(["", ""], ["a"])


def test_none_at_all_is_none() -> None:
    assert rle.encode_all(np.zeros((0, SIZE, SIZE), np.bool_)) == []
    assert rle.decode_all([], []).shape == (0, SIZE, SIZE)
