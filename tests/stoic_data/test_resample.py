"""Resampling agrees with SimpleITK, for any spacing, size, origin and direction, cropped and padded as it should be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from containers.kit.resample import Anchor, Axis, Grid, resample, window

LOW, HIGH = -1100.0, 300.0
lengths = st.tuples(*[st.integers(1, 14)] * 3)
sizes = st.tuples(*[st.integers(1, 16)] * 3)
spacings = st.tuples(*[st.floats(0.4, 6.0)] * 3)


def reference(voxels: np.ndarray[Any, Any], spacing: tuple[float, ...], new: float, padding: float) -> Any:
    """The whole image on the new grid, by SimpleITK, on an oblique grid somewhere in space."""
    image = sitk.Cast(sitk.GetImageFromArray(voxels), sitk.sitkFloat64)
    image.SetSpacing(spacing[::-1])
    image.SetOrigin((-120.5, 33.25, 700.0))
    turn = sitk.VersorTransform((0.3, -0.5, 0.8), 0.4)
    image.SetDirection(turn.GetMatrix())
    size = [max(1, round(n * step / new)) for n, step in zip(image.GetSize(), image.GetSpacing(), strict=True)]
    return sitk.GetArrayFromImage(
        sitk.Resample(
            image, size, sitk.Transform(), sitk.sitkLinear, image.GetOrigin(), (new,) * 3, image.GetDirection(), padding
        )
    )


def cropped(whole: np.ndarray[Any, Any], size: tuple[int, ...], padding: float) -> np.ndarray[Any, Any]:
    """Last slices in z, the centre in y and x, said once more in the plainest way: pad amply, then cut."""
    margin = max(size)
    wide = np.pad(whole, margin, constant_values=padding)
    begins = [
        whole.shape[0] - size[0],
        (whole.shape[1] - size[1]) // 2,
        (whole.shape[2] - size[2]) // 2,
    ]
    z, y, x = (slice(margin + begin, margin + begin + n) for begin, n in zip(begins, size, strict=True))
    return wide[z, y, x]


def ours(
    voxels: np.ndarray[Any, Any],
    spacing: tuple[float, float, float],
    new: float,
    size: tuple[int, int, int],
    padding: float,
    dtype: type = np.float32,
) -> np.ndarray[Any, Any]:
    shape = (voxels.shape[0], voxels.shape[1], voxels.shape[2])
    grid = Grid.plan(shape, spacing, new, size, ("end", "centre", "centre"))
    return resample(voxels[grid.needed], grid, low=LOW, high=HIGH, padding=padding, dtype=dtype)


@settings(max_examples=150, deadline=None)
@given(lengths, spacings, st.floats(0.7, 3.0), sizes, st.sampled_from([LOW, 0.0]), st.integers(0, 1000))
def test_agrees_with_simpleitk(
    shape: tuple[int, int, int],
    spacing: tuple[float, float, float],
    new: float,
    size: tuple[int, int, int],
    padding: float,
    seed: int,
) -> None:
    assume(not any(on_the_border(length, step, new) for length, step in zip(shape, spacing, strict=True)))
    voxels = np.random.default_rng(seed).integers(-1500, 1500, shape).astype(np.int16)
    expected = cropped(reference(voxels, spacing, new, padding), size, padding)
    expected = (np.clip(expected, LOW, HIGH) - LOW) / (HIGH - LOW)
    found = ours(voxels, spacing, new, size, padding)
    assert found.shape == size
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(ours(voxels, spacing, new, size, padding, np.float16), expected, atol=5e-4)


def on_the_border(length: int, old: float, new: float) -> bool:
    """Whether a new voxel lies on the image's very border, where SimpleITK's answer depends on the origin.

    And whether the number of new voxels is a tie, which a last bit of the spacing decides.
    """
    border, total = (length - 0.5) * old / new, length * old / new
    return abs(border - round(border)) < 1e-4 or abs(total % 1 - 0.5) < 1e-9


@pytest.mark.parametrize(("length", "old", "new"), [(4, 3.2, 1.6), (60, 3.2, 1.6), (4, 1.0, 0.7), (5, 2.0, 1.0)])
def test_a_voxel_on_the_very_border_is_padding(length: int, old: float, new: float) -> None:
    total = round(length * old / new)
    assert on_the_border(length, old, new)
    assert Axis.plan(length, old, new, total, "end").inside == slice(0, total - 1)


@settings(max_examples=30, deadline=None)
@given(st.permutations([0, 1, 2]), st.tuples(*[st.booleans()] * 3))
def test_the_order_of_the_memory_does_not_matter(order: list[int], flips: tuple[bool, bool, bool]) -> None:
    voxels = np.random.default_rng(1).integers(-1000, 200, (7, 8, 9)).astype(np.int16)
    directions = tuple(slice(None, None, -1 if flip else 1) for flip in flips)
    view = np.ascontiguousarray(voxels[directions].transpose(order)).transpose(np.argsort(order))[directions]
    np.testing.assert_array_equal(view, voxels)
    spacing, size = (2.0, 1.3, 0.9), (8, 6, 10)
    found = ours(view, spacing, 1.6, size, LOW)
    assert found.flags.c_contiguous
    np.testing.assert_allclose(found, ours(voxels, spacing, 1.6, size, LOW), atol=1e-6)


@pytest.mark.parametrize(
    ("length", "size", "anchor", "inside", "needed"),
    [
        (10, 4, "end", slice(0, 4), slice(6, 10)),  # the last ones stay
        (4, 10, "end", slice(6, 10), slice(0, 4)),  # padding comes first
        (10, 4, "centre", slice(0, 4), slice(3, 8)),
        (11, 4, "centre", slice(0, 4), slice(3, 8)),  # the odd one more is cut at the end
        (5, 10, "centre", slice(3, 8), slice(0, 5)),  # the odd one more is padded at the beginning
    ],
)
def test_crop_and_padding_go_where_they_are_said_to(
    length: int, size: int, anchor: Anchor, inside: slice, needed: slice
) -> None:
    axis = Axis.plan(length, 1.0, 1.0, size, anchor)
    assert axis.inside == inside
    assert axis.needed == needed


def test_only_what_the_crop_needs_is_asked_for() -> None:
    grid = Grid.plan((600, 512, 512), (1.0, 1.0, 1.0), 1.6, (240, 240, 240), ("end", "centre", "centre"))
    assert grid.needed == (slice(216, 600), slice(64, 448), slice(64, 448))


def test_half_precision_is_the_nearest_but_for_ties() -> None:
    values = np.random.default_rng(0).random((64, 64)).astype(np.float32)
    values[0, :5] = (0.0, 1.0, 0.5, 2.0**-14, 1.0 - 2.0**-11)
    voxels = values[None].astype(np.float64)
    grid = Grid.plan((1, 64, 64), (1.0, 1.0, 1.0), 1.0, (1, 64, 64), ("end", "centre", "centre"))
    found = resample(voxels, grid, low=0.0, high=1.0, padding=0.0, dtype=np.float16)[0]
    assert found[0, :5].tolist() == [0.0, 1.0, 0.5, 2.0**-14, float(np.float16(1.0 - 2.0**-11))]
    error = np.abs(found.astype(np.float64) - values)
    nearest = np.abs(values.astype(np.float16).astype(np.float64) - values)
    normal = values >= 2.0**-14
    np.testing.assert_array_equal(error[normal], nearest[normal])
    assert error.max() <= 2.0**-12


def test_the_window_clips_and_scales() -> None:
    values = np.array([-2000, -1100, -400, 0, 300, 3000], np.float32)
    np.testing.assert_allclose(window(values, LOW, HIGH), [0, 0, 0.5, 1100 / 1400, 1, 1], atol=1e-6)
