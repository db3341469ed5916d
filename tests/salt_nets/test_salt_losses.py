"""The Lovasz hinge against its definition, over all orders in which pixels can go wrong; the mixtures by hand."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from containers.salt.losses import cross_entropy, jaccard_steps, lovasz_hinge, mixture, supervised

PIXELS = 5


def jaccard_loss(wrong: set[int], salt: set[int]) -> float:
    """1 - IoU of the truth and the mask that differs from it in `wrong`."""
    predicted = salt ^ wrong
    either = salt | predicted
    return 1 - len(salt & predicted) / len(either) if either else 0.0


def extension(errors: list[float], salt: set[int]) -> float:
    """The extension of a submodular function of sets: the greatest of its linear forms, one for each order."""
    forms = []
    for order in itertools.permutations(range(len(errors))):
        sets = [set(order[:size]) for size in range(len(order) + 1)]
        grown = [jaccard_loss(large, salt) - jaccard_loss(small, salt) for small, large in itertools.pairwise(sets)]
        forms.append(sum(errors[pixel] * growth for pixel, growth in zip(order, grown, strict=True)))
    return max(forms)


def hinges(logits: Tensor, truth: Tensor) -> list[float]:
    return (1 - logits * (truth * 2 - 1)).clamp(min=0).flatten().tolist()


@pytest.mark.parametrize("salt", [set(range(k)) for k in range(PIXELS + 1)])
def test_lovasz_hinge_is_the_extension_of_the_jaccard_loss(salt: set[int]) -> None:
    truth = torch.tensor([[float(pixel in salt) for pixel in range(PIXELS)]] * 3)
    logits = torch.randn(3, PIXELS, generator=torch.Generator().manual_seed(len(salt))) * 2
    found = lovasz_hinge(logits, truth)
    assert found.shape == (3,)
    expected = [extension(hinges(*pair), salt) for pair in zip(logits, truth, strict=True)]
    assert found.tolist() == pytest.approx(expected, abs=1e-5)


def test_over_the_batch_all_pixels_are_one_set() -> None:
    truth = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    logits = torch.tensor([[0.3, -0.2, -0.9], [2.0, -3.0, 0.8]])
    expected = extension(hinges(logits, truth), {0, 2, 5})
    assert lovasz_hinge(logits, truth, whole_batch=True).tolist() == pytest.approx([expected] * 2, abs=1e-6)
    assert lovasz_hinge(logits, truth).mean() != pytest.approx(expected, abs=1e-3)


def test_certain_masks_cost_twice_their_jaccard_loss() -> None:
    """A logit of 1 on the wrong side is an error of 2, on the right side of 0."""
    truth = torch.zeros(2, 4, 4)
    truth[0, 0] = 1
    predicted = torch.zeros(2, 4, 4)
    predicted[0, 0, 1:], predicted[0, 2, 2] = 1, 1  # three of four, and one outside: IoU 3 / 5
    predicted[1, 3, 3] = 1  # the truth is empty
    assert lovasz_hinge(predicted * 2 - 1, truth).tolist() == pytest.approx([2 * (1 - 3 / 5), 2.0])
    assert lovasz_hinge(truth * 2 - 1, truth).tolist() == [0.0, 0.0]


def test_steps_add_up_to_the_jaccard_loss_of_the_first_pixels() -> None:
    """Two of salt, in the order salt, none, none, salt: 1/2, then 1 - 1/3, 1 - 1/4, 1."""
    steps = jaccard_steps(torch.tensor([[True, False, False, True], [False, False, False, False]]))
    assert steps[0].cumsum(0).tolist() == pytest.approx([1 / 2, 2 / 3, 3 / 4, 1.0])
    assert steps[1].tolist() == [1.0, 0.0, 0.0, 0.0]  # an empty truth: the worst pixel is all the loss


@pytest.mark.parametrize("whole_batch", [False, True])
def test_gradients_are_those_of_differences(whole_batch: bool) -> None:
    truth = torch.tensor([[1.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    logits = torch.tensor([[0.7, 0.4, -0.6, -1.7], [0.3, -0.5, -2.0, 0.9]], requires_grad=True)
    lovasz_hinge(logits, truth, whole_batch).sum().backward()
    assert logits.grad is not None
    for place in itertools.product(range(2), range(4)):
        above, below = logits.detach().clone(), logits.detach().clone()
        above[place] += 1e-2
        below[place] -= 1e-2
        slope = (lovasz_hinge(above, truth, whole_batch) - lovasz_hinge(below, truth, whole_batch)).sum() / 2e-2
        assert logits.grad[place] == pytest.approx(float(slope), abs=1e-3)
    assert logits.grad[0, 3] == 0  # right by more than the margin


def test_elu_pushes_pixels_that_are_right() -> None:
    truth = torch.tensor([[1.0, 0.0]])
    logits = torch.tensor([[3.0, 1.0]], requires_grad=True)
    loss = lovasz_hinge(logits, truth, margin="elu")
    # The wrong pixel's error 2 counts 2 + 1 and takes half the loss; the right one's is -2, of which exp(-2) is left.
    assert loss.tolist() == pytest.approx([3 * 0.5 + math.exp(-2) * 0.5])
    loss.sum().backward()
    assert logits.grad is not None
    assert logits.grad.tolist()[0] == pytest.approx([-0.5 * math.exp(-2), 0.5])


def test_mixture_of_both() -> None:
    truth = (torch.arange(18).view(2, 1, 3, 3) % 4 == 0).float()
    logits = torch.linspace(-2, 2, 18).view(2, 1, 3, 3)
    entropy = [
        -sum(
            math.log(1 / (1 + math.exp(-value if salt else value)))
            for value, salt in zip(one.flatten().tolist(), real.flatten().tolist(), strict=True)
        )
        / 9
        for one, real in zip(logits, truth, strict=True)
    ]
    lovasz = lovasz_hinge(logits, truth).tolist()
    assert cross_entropy(logits, truth).tolist() == pytest.approx(entropy, rel=1e-5)
    assert mixture(logits, truth, 0.0).tolist() == pytest.approx(entropy, rel=1e-5)
    assert mixture(logits, truth, 1.0).tolist() == lovasz
    found = mixture(logits, truth, 0.25).tolist()
    assert found == pytest.approx([0.75 * e + 0.25 * s for e, s in zip(entropy, lovasz, strict=True)], rel=1e-5)


def test_deep_supervision_counts_the_other_channels() -> None:
    truth = torch.tensor([[[[1.0, 0.0]]]])
    logits = torch.tensor([[[[1.0, -1.0]], [[-1.0, -1.0]], [[1.0, 1.0]]]])
    # The first is right; the second misses all the salt; the third has IoU 1/2.
    assert supervised(logits, truth, lovasz=1.0).tolist() == [0.0]
    assert supervised(logits, truth, lovasz=1.0, deep=0.3).tolist() == pytest.approx([0.3 * (2.0 + 1.0) / 2])
    assert supervised(logits[:, :1], truth, lovasz=1.0, deep=0.3).tolist() == [0.0]


def test_half_numbers_are_computed_with_in_full() -> None:
    truth = torch.ones(1, 101, 101)
    logits = torch.full((1, 101, 101), -2.0, dtype=torch.bfloat16)
    assert mixture(logits, truth, 1.0).tolist() == pytest.approx([3.0], abs=1e-4)
    assert mixture(logits, truth, 0.5).dtype == torch.float32
