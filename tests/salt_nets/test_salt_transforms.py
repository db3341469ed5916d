"""The way into the networks and back: exact where it is the original pipeline's, and seeded where it is random."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from containers.kit.errors import UserError
from containers.kit.settings import build
from containers.salt.settings import Augment, Inputs
from containers.salt.transforms import augment, cropped, grey, network_input, padded

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 101, 101), dtype=np.uint8)
SEEDS = torch.arange(3)


def square(top: int, left: int, side: int = 20) -> torch.Tensor:
    image = torch.zeros(1, 1, 101, 101)
    image[..., top : top + side, left : left + side] = 1
    return image


def test_the_original_inputs() -> None:
    """Channel 0, mirrored at the edges as numpy does it, less 125, three times."""
    found = network_input(grey(np.repeat(IMAGES[..., None], 3, axis=3)), None, Inputs(channels=3))
    assert found.shape == (3, 3, 128, 128)
    assert found.dtype == torch.float32
    expected = np.pad(IMAGES, ((0, 0), (14, 13), (14, 13)), mode="reflect").astype(np.float32) - 125
    for channel in range(3):
        assert np.array_equal(found[:, channel].numpy(), expected)


def test_only_the_first_channel_is_looked_at() -> None:
    colour = np.random.default_rng(1).integers(0, 256, (2, 101, 101, 3), dtype=np.uint8)
    assert np.array_equal(grey(colour)[:, 0].numpy(), colour[..., 0].astype(np.float32))


def test_cropping_takes_the_padding_back() -> None:
    images = grey(IMAGES)
    assert torch.equal(cropped(padded(images)), images)
    assert torch.equal(cropped(network_input(images, None, Inputs())), images - 125)
    array = np.arange(128 * 128).reshape(128, 128)
    assert cropped(torch.from_numpy(array))[0, 0] == array[14, 14]
    assert cropped(torch.from_numpy(array))[-1, -1] == array[114, 114]


def test_depth_is_the_last_channel() -> None:
    depths = torch.tensor([300.0, 500.0, 700.0])
    inputs = Inputs(channels=3, depth=True, scale=20.0, depth_mean=500.0, depth_std=100.0)
    found = network_input(grey(IMAGES), depths, inputs)
    assert torch.equal(found[:, 0], found[:, 1])
    assert cropped(found)[0, 0, 7, 9] == pytest.approx((int(IMAGES[0, 7, 9]) - 125) / 20)
    assert found[:, 2].flatten(1).min(dim=1).values.tolist() == [-4.0, 0.0, 4.0]
    assert found[:, 2].flatten(1).max(dim=1).values.tolist() == [-4.0, 0.0, 4.0]
    with pytest.raises(ValueError, match="needs them"):
        network_input(grey(IMAGES), None, inputs)


def test_too_few_channels_are_one_sentence() -> None:
    with pytest.raises(UserError) as error:
        build(Inputs, {"channels": 1, "depth": True}, "inputs")
    assert str(error.value) == "inputs.channels 1 are too few for an image and its depth; set 2 or more"


def test_a_mirror_image_is_exact_and_its_mask_follows() -> None:
    images, seeds = grey(np.tile(IMAGES, (8, 1, 1))), torch.arange(24)
    masks = (images > 128).float()
    changed, salt = augment(images, masks, seeds, Augment())
    mirrored = [bool(torch.equal(one, image.flip(-1))) for one, image in zip(changed, images, strict=True)]
    same = [bool(torch.equal(one, image)) for one, image in zip(changed, images, strict=True)]
    assert [not one for one in mirrored] == same
    assert 6 <= sum(mirrored) <= 18
    assert torch.equal(salt, (changed > 128).float())


def test_each_image_is_changed_by_its_own_seed() -> None:
    images, settings = grey(IMAGES), Augment(shift=8, scale=0.2, offset=10, gain=0.2)
    masks = (images > 128).float()
    all_images, all_masks = augment(images, masks, SEEDS, settings)
    order = torch.tensor([2, 0, 1])
    image, mask = augment(images[order], masks[order], SEEDS[order], settings)
    assert torch.equal(image, all_images[order])
    assert torch.equal(mask, all_masks[order])
    other, _ = augment(images, masks, SEEDS + 3, settings)
    assert not torch.allclose(other, all_images)


def test_shifts_move_image_and_mask_alike() -> None:
    """A square comes to lie elsewhere, by no more than was allowed, and its mask stays on it."""
    image, offsets = square(40, 40), set()
    for seed in range(12):
        moved, mask = augment(image, image, torch.tensor([seed]), Augment(flip=False, shift=5))
        rows, columns = torch.where(mask[0, 0] > 0)
        assert rows.max() - rows.min() + 1 in (19, 20, 21)
        offsets.add((int(rows.min()) - 40, int(columns.min()) - 40))
        assert set(mask.unique().tolist()) == {0.0, 1.0}
        assert (moved - mask).abs().max() <= 0.75  # the mask takes the nearest pixel, the image what lies between
        assert moved.sum() == pytest.approx(400, abs=1e-2)
    assert len(offsets) > 6
    assert max(max(map(abs, pair)) for pair in offsets) in (4, 5)


def test_scales_keep_within_their_bounds() -> None:
    image = square(40, 40)
    areas = [augment(image, image, torch.tensor([s]), Augment(flip=False, scale=0.25))[0].sum() for s in range(30)]
    assert 400 / 1.25**2 - 1 <= min(areas) < 300
    assert 520 < max(areas) <= 400 * 1.25**2 + 1


def test_brightness_and_contrast_leave_the_mask_alone() -> None:
    images = torch.full((2, 1, 101, 101), 100.0)
    images[:, :, :50] = 140.0
    masks = square(0, 0).expand(2, 1, 101, 101)
    changed, salt = augment(images, masks, torch.tensor([4, 5]), Augment(flip=False, offset=30, gain=0.5))
    assert torch.equal(salt, masks)
    contrast = changed[:, 0, 0, 0] - changed[:, 0, 99, 0]
    assert all(20 <= value <= 60 and abs(value - 40) > 0.1 for value in contrast.tolist())
    assert all(0 < abs(value) <= 30 for value in (changed.mean(dim=(1, 2, 3)) - images.mean()).tolist())
    bright, _ = augment(
        torch.full((8, 1, 101, 101), 250.0), masks[:1].expand(8, 1, 101, 101), torch.arange(8), Augment(offset=50)
    )
    assert bright.max() == 255
