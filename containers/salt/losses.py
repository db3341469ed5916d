"""The losses of the segmentation, one number an image: Lovasz hinge, cross-entropy, and a mixture of both.

The Lovasz hinge is the piecewise linear extension of the Jaccard loss 1 - IoU from sets of wrong pixels to margins of
error (Berman, Rannen Triki and Blaschko, CVPR 2018).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from containers.salt.settings import Margin


def lovasz_hinge(logits: Tensor, truth: Tensor, whole_batch: bool = False, margin: Margin = "relu") -> Tensor:
    """(n,) of logits and truth (n, ...), a salt pixel being 1.

    With `whole_batch` all pixels make one set, whose loss stands for every image. Margin "elu" (elu + 1 instead of
    relu) goes on to push pixels that are already right, which relu leaves without a gradient.
    """
    count = len(logits)
    sets = 1 if whole_batch else count
    signs = truth.reshape(sets, -1).float() * 2 - 1
    errors = 1 - logits.reshape(sets, -1).float() * signs
    ordered, order = errors.sort(dim=1, descending=True)
    steps = jaccard_steps((signs > 0).gather(1, order))
    margins = F.relu(ordered) if margin == "relu" else F.elu(ordered) + 1
    return (margins * steps).sum(dim=1).expand(count)


def jaccard_steps(truth: Tensor) -> Tensor:
    """How much 1 - IoU grows with each further wrong pixel; `truth` (n, pixels) in the order in which they go wrong."""
    salt = truth.to(torch.float32)
    total = salt.sum(dim=1, keepdim=True)
    intersection = total - salt.cumsum(dim=1)
    union = total + (1 - salt).cumsum(dim=1)
    losses = 1 - intersection / union
    return torch.cat([losses[:, :1], losses[:, 1:] - losses[:, :-1]], dim=1)


def cross_entropy(logits: Tensor, truth: Tensor) -> Tensor:
    """(n,): the mean over an image's pixels."""
    each = F.binary_cross_entropy_with_logits(logits.float(), truth.float(), reduction="none")
    return each.flatten(start_dim=1).mean(dim=1)


def mixture(logits: Tensor, truth: Tensor, lovasz: float, whole_batch: bool = False, margin: Margin = "relu") -> Tensor:
    """(n,): the share `lovasz`, 0 to 1, of the Lovasz hinge, and cross-entropy for the rest."""
    loss = torch.zeros(len(logits), device=logits.device)
    if lovasz < 1:
        loss = loss + (1 - lovasz) * cross_entropy(logits, truth)
    if lovasz > 0:
        loss = loss + lovasz * lovasz_hinge(logits, truth, whole_batch, margin)
    return loss


def supervised(
    logits: Tensor, truth: Tensor, lovasz: float, deep: float = 0.0, whole_batch: bool = False, margin: Margin = "relu"
) -> Tensor:
    """(n,): the mixture of the first of the channels (n, c, h, w), and `deep` times the mean of that of the others.

    The others are what a network with deep supervision says at coarser levels; `truth` is (n, 1, h, w).
    """
    loss = mixture(logits[:, :1], truth, lovasz, whole_batch, margin)
    others = logits.shape[1] - 1
    if deep and others:
        each = [mixture(logits[:, k : k + 1], truth, lovasz, whole_batch, margin) for k in range(1, others + 1)]
        loss = loss + deep * torch.stack(each).mean(dim=0)
    return loss
