"""Small components: counted to the voxel, and removed below their organ's least volume."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from containers.amos import components


@pytest.fixture(autouse=True, params=[1, 300, 1 << 24], ids=lambda voxels: f"slabs of {voxels}")
def slab(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found does not depend on where slabs end: plane by plane, some planes at a time, all at once."""
    monkeypatch.setattr(components, "SLAB", request.param)


def blocks() -> Any:
    """Two parts of organ 2 (60 and 8 voxels), two of organ 5 (27 and 1), one of organ 15 (4)."""
    labels = np.zeros((12, 12, 12), np.uint8)
    labels[0:3, 0:4, 0:5] = 2
    labels[8:10, 8:10, 8:10] = 2
    labels[4:7, 4:7, 4:7] = 5
    labels[11, 11, 0] = 5
    labels[0, 11, 0:4] = 15
    return labels


def test_sizes_to_the_voxel() -> None:
    assert components.sizes(blocks()) == {2: [60, 8], 5: [27, 1], 15: [4]}
    assert components.present(blocks()) == (2, 5, 15)
    assert components.sizes(np.zeros((3, 3, 3), np.uint8)) == {}
    assert components.present(np.zeros((3, 3, 3), np.uint8)) == ()


@pytest.mark.parametrize("order", ["C", "F", "flipped"])
def test_what_is_smaller_goes_and_nothing_else(order: str) -> None:
    labels = blocks()
    if order == "flipped":
        labels = np.ascontiguousarray(labels[::-1].transpose(1, 2, 0)).transpose(2, 0, 1)[::-1]
    elif order == "F":
        labels = np.asfortranarray(labels)
    expected = blocks()
    expected[8:10, 8:10, 8:10] = 0
    expected[11, 11, 0] = 0
    assert components.remove_small(labels, 1.5, {1: 99.0, 2: 12.1, 5: 1.6, 15: 0.0}) == {2: 8, 5: 1}
    np.testing.assert_array_equal(labels, expected)


def test_the_least_volume_itself_stays() -> None:
    labels = blocks()
    assert components.remove_small(labels, 0.5, {2: 4.0}) == {}
    assert components.remove_small(labels, 0.5, {2: 4.0001}) == {2: 8}


def test_an_organ_may_go_altogether() -> None:
    labels = blocks()
    assert components.remove_small(labels, 1, {2: 61, 5: 28, 15: 5}) == {2: 68, 5: 28, 15: 4}
    assert not labels.any()
    assert components.remove_small(labels, 1, {2: 61}) == {}


def test_corners_connect() -> None:
    labels = np.zeros((4, 4, 4), np.uint8)
    labels[0, 0, 0] = labels[1, 1, 1] = labels[2, 2, 2] = 7
    assert components.sizes(labels) == {7: [3]}
    labels[1, 1, 1] = 8  # another organ between them does not
    assert components.sizes(labels) == {7: [1, 1], 8: [1]}


def test_more_components_than_two_bytes_count() -> None:
    labels = np.zeros((82, 82, 82), np.uint8)
    labels[::2, ::2, ::2] = 3
    labels[:2, :2, :2] = 3
    assert labels[::2, ::2, ::2].size == 41**3 > 1 << 16
    sizes = components.sizes(labels)[3]
    assert (sizes[0], len(sizes), set(sizes[1:])) == (8 + 7, 41**3 - 7, {1})
    assert components.remove_small(labels, 1, {3: 2}) == {3: 41**3 - 8}


def test_what_joins_only_slabs_further_on_is_one() -> None:
    labels = np.zeros((6, 4, 9), np.uint8)
    labels[0:5, 1, 0] = labels[0:5, 2, 8] = 3
    labels[5, 3, 1:8] = 3  # touches one below over a corner, and the other too
    labels[4, 2, 0] = 0
    labels[5, 2, 0] = 3
    assert components.sizes(labels) == {3: [18]}
    labels[5, 3, 4] = 0
    assert components.sizes(labels) == {3: [9, 8]}
    assert components.remove_small(labels, 1, {3: 9}) == {3: 8}
    assert components.sizes(labels) == {3: [9]}


def test_it_agrees_with_a_plain_labelling() -> None:
    labels = (np.random.default_rng(0).random((30, 31, 32)) > 0.93).astype(np.uint8) * 4
    numbers, count = ndimage.label(labels, np.ones((3, 3, 3)))
    expected = np.bincount(numbers.ravel())[1:]
    assert len(expected) == count
    assert components.sizes(labels)[4] == sorted(expected.tolist(), reverse=True)
    kept = np.isin(numbers, np.flatnonzero(expected >= 3) + 1)
    assert components.remove_small(labels, 2, {4: 6}) == {4: int(expected[expected < 3].sum())}
    np.testing.assert_array_equal(labels == 4, kept)
