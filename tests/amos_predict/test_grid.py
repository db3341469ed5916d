"""Resampling, windows and the normalisation's parts beside the libraries whose work they do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from nnunetv2.inference.sliding_window_prediction import compute_gaussian, compute_steps_for_sliding_window
from nnunetv2.preprocessing.cropping.cropping import create_nonzero_mask
from scipy import ndimage
from skimage.transform import resize

from containers.amos import grid, normalise, windows
from containers.amos.grid import Axis
from containers.amos.plan import Resampling


@pytest.mark.parametrize("order", [0, 1, 3])
@pytest.mark.parametrize(("source", "target"), [(17, 29), (40, 23), (1, 5), (7, 1), (64, 65), (100, 31)])
def test_an_axis_is_what_scikit_image_does(source: int, target: int, order: int) -> None:
    values = np.random.default_rng(0).normal(size=source)
    expected = resize(values, (target,), order, mode="edge", anti_aliasing=False, clip=False)
    axis = Axis(source, target, order, separate=False)
    np.testing.assert_allclose(axis.matrix @ torch.from_numpy(values), expected, atol=2e-8)
    for index in range(target):
        first, last = axis.reach(index, index + 1)
        assert not axis.matrix[index, :first].any()
        assert not axis.matrix[index, last:].any()
        assert axis.matrix[index, first]
        assert axis.matrix[index, last - 1]
    assert last - first <= {0: 1, 1: 2, 3: 34}[order]


@pytest.mark.parametrize(("source", "target"), [(9, 27), (27, 9), (10, 4), (5, 8)])
def test_a_coarse_axis_takes_the_nearest(source: int, target: int) -> None:
    places = (np.arange(target) + 0.5) * (source / target) - 0.5
    expected = ndimage.map_coordinates(np.arange(source), places[None], order=0, mode="nearest")
    matrix = Axis(source, target, 0, separate=True).matrix
    assert matrix.argmax(dim=1).tolist() == expected.tolist()
    assert matrix.sum(dim=1).tolist() == [1] * target


@pytest.mark.parametrize(
    ("separate", "one", "other", "axis"),
    [
        (None, (5, 1, 1), (1, 1, 1), 0),
        (None, (1, 1, 1), (1, 1, 5), 2),
        (None, (5, 1, 1), (1, 5, 1), 0),
        (None, (3, 1, 1), (1, 1, 1), None),
        (None, (5, 5, 1), (1, 1, 5), None),
        (False, (5, 1, 1), (1, 1, 1), None),
        (True, (2, 1, 1), (1, 1, 5), 0),
        (True, (1, 1, 1), (1, 1, 5), None),
    ],
)
def test_coarse_axis(separate: bool | None, one: tuple[float, ...], other: tuple[float, ...], axis: int | None) -> None:
    spacings = (one[0], one[1], one[2]), (other[0], other[1], other[2])
    assert grid.coarse_axis(Resampling(3, separate=separate), *spacings) == axis


@pytest.mark.parametrize("step", [0.3, 0.5, 0.75, 1.0])
def test_windows_begin_where_nnunets_do(step: float) -> None:
    for size in range(32, 200, 7):
        expected = compute_steps_for_sliding_window((size,), (32,), step)[0]
        assert grid._starts(size, 32, step) == expected


@pytest.mark.parametrize("patch", [(16, 32, 32), (7, 20, 13), (64, 160, 160)])
def test_weights_are_nnunets(patch: tuple[int, int, int]) -> None:
    cpu = torch.device("cpu")
    assert torch.equal(windows.weights(patch, cpu), compute_gaussian(patch, 1 / 8, 10, device=cpu))


def test_mask_with_holes_filled() -> None:
    generator = np.random.default_rng(0)
    for share in (0.3, 0.5, 0.7):
        voxels = (generator.random((12, 20, 16)) < share).astype(np.int16)
        expected = create_nonzero_mask(voxels[None])
        assert expected.sum() > voxels.sum()
        np.testing.assert_array_equal(normalise.filled(voxels), expected)


def test_box() -> None:
    voxels = np.zeros((6, 7, 8), np.int16)
    assert normalise.box(voxels) is None
    voxels[2, 3:5, 1] = -4
    voxels[4, 4, 6] = 1
    assert normalise.box(voxels) == (slice(2, 5), slice(3, 5), slice(1, 7))


def test_logits_are_the_mean_over_mirrored_copies() -> None:
    network = torch.nn.Conv3d(1, 3, 3, padding=1)
    window = torch.randn(1, 1, 6, 7, 8)
    with torch.inference_mode():
        views = [(), (2,), (4,), (2, 4)]
        expected = torch.stack([network(window.flip(view)).flip(view) for view in views]).mean(0)[0]
        torch.testing.assert_close(windows.logits(network, window, (0, 2)), expected)
        assert torch.equal(windows.logits(network, window, ()), network(window)[0])
