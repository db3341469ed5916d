"""Edit this file: one class for each network that you submit.

A class is made without arguments, and gives logits: (n, 1000) in the order of ImageNet's classes, or (n, 313) in the
order of ObjectNet's with `--convert_outputs_mode 0`. A function that makes such a network does as well. Its weights
are loaded by the names in its state dict, so keep those that the checkpoint has:

    from torch import Tensor, nn

    class MyNetwork(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = ...

        def forward(self, pictures: Tensor) -> Tensor:
            return self.layers(pictures)

What the pictures are scaled to, and how, is in data_transform_description.py. Imports of packages belong into the
class or function that needs them: an image need not hold the packages of a network that it does not run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def EfficientNetLite0() -> nn.Module:  # noqa: N802 - named like the class that a user of the template expects
    """4.7 million parameters, pictures of 224 x 224."""
    return _lite("efficientnet-lite0")


def EfficientNetLite2() -> nn.Module:  # noqa: N802
    """6.1 million parameters, pictures of 260 x 260."""
    return _lite("efficientnet-lite2")


def resnext101_32x48d_wsl() -> nn.Module:
    """The template's example, 829 million parameters: its checkpoint is ig_resnext101_32x48-3e41cc8a.pth."""
    from containers.objectnet.resnext import ResNeXt

    return ResNeXt(depths=(3, 4, 23, 3), groups=32, group_width=48)


def _lite(name: str) -> nn.Module:
    from efficientnet_lite_pytorch import EfficientNet

    network: nn.Module = EfficientNet.from_name(name)
    return network
