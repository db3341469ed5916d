"""Augmentation: what each setting does, and that only the case's seed decides."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from containers.stoic.augment import augment, matrix
from containers.stoic.settings import Augment

NONE = Augment(flip=False, shift=0, scale=0.0, rotate=0.0, gain=0.0, noise=0.0)


def images(count: int = 2) -> Tensor:
    return torch.rand((count, 1, 12, 14, 16), generator=torch.Generator().manual_seed(1))


def test_nothing_is_nothing() -> None:
    assert torch.equal(augment(images(), torch.tensor([1, 2]), NONE), images())


def test_a_case_is_changed_the_same_in_any_batch() -> None:
    seeds = torch.tensor([11, 22])
    together = augment(images(), seeds, Augment())
    for index in range(2):
        alone = augment(images()[index : index + 1], seeds[index : index + 1], Augment())
        assert torch.equal(alone[0], together[index])
    assert not torch.allclose(together, augment(images(), seeds + 1, Augment()))
    assert together.min() >= 0
    assert together.max() <= 1


def test_flip_mirrors_left_and_right_or_nothing() -> None:
    settings = replace(NONE, flip=True)
    found = [augment(images(1), torch.tensor([seed]), settings) for seed in range(20)]
    mirrored = [torch.allclose(one, images(1).flip(4), atol=1e-5) for one in found]
    same = [torch.allclose(one, images(1), atol=1e-5) for one in found]
    assert all(a != b for a, b in zip(mirrored, same, strict=True))
    assert 4 <= sum(mirrored) <= 16


def test_shift_is_in_voxels() -> None:
    draw = torch.tensor([0.0, 0.0, 0.0, 0.5, -1.0, 0.25, 0.0])
    theta = matrix(draw, (12, 14, 16), replace(NONE, shift=4))
    assert torch.allclose(theta[:, :3], torch.eye(3))
    assert torch.allclose(theta[:, 3] * torch.tensor([8.0, 7.0, 6.0]), torch.tensor([2.0, -4.0, 1.0]))


def test_a_turn_keeps_distances_in_voxels() -> None:
    theta = matrix(torch.tensor([0.0, 1.0, 0.0, 0, 0, 0, 0]), (12, 14, 40), replace(NONE, rotate=90.0))
    half = torch.tensor([20.0, 7.0, 6.0])
    moved = half * (theta[:, :3] @ (torch.tensor([3.0, 0.0, 0.0]) / half))
    assert torch.allclose(moved, torch.tensor([0.0, 3.0, 0.0]), atol=1e-5)


def test_scale_gain_and_noise_stay_within_their_width() -> None:
    zoom = matrix(torch.tensor([1.0, 0, 0, 0, 0, 0, 0]), (12, 14, 16), replace(NONE, scale=0.25))
    assert torch.allclose(zoom[:, :3], torch.eye(3) / 1.25)
    flat = torch.full((40, 1, 4, 4, 4), 0.5)
    gained = augment(flat, torch.arange(40), replace(NONE, gain=0.1))
    assert 0.44 < gained.min() < 0.47
    assert 0.53 < gained.max() < 0.56
    noisy = augment(torch.full((2, 1, 16, 16, 16), 0.5), torch.arange(2), replace(NONE, noise=0.02))
    assert abs(float(noisy.std()) - 0.02) < 0.001
    assert not torch.equal(noisy[0], noisy[1])
