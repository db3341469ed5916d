"""Encoders by name, each an image to features of ever smaller size, and pretrained weights for them."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from containers.kit.errors import UserError
from containers.kit.weights import read

LITE = "efficientnet-lite"
ABSENT = "leave it empty to begin from scratch"
FIRST = ("conv1.weight", "_conv_stem.weight")  # what sees the image, of ResNets and of EfficientNet-Lite
HEAD = ("fc.", "_conv_head.", "_bn1.", "_fc.")  # what pretrained weights know of their own classes
SHARE = 0.9  # of the tensors but the head's, which a file for this very network has


def resnet(name: str, channels: int, outputs: int, width: float = 1.0, stride: int = 2) -> nn.Module:
    """MONAI's ResNet in two dimensions, its tensors named and shaped as those of torchvision's files.

    Without `outputs` it has no head; `stride` is the first layer's.
    """
    from monai.networks.nets import resnet as networks  # MONAI takes seconds to import, so only where it is used

    if name not in ("resnet10", "resnet18", "resnet34", "resnet50"):
        raise ValueError(f"{name} is no ResNet that is known here")
    network: nn.Module = getattr(networks, name)(
        spatial_dims=2, n_input_channels=channels, num_classes=outputs, feed_forward=outputs > 0,
        conv1_t_size=7, conv1_t_stride=stride, widen_factor=width, bias_downsample=False,
    )  # fmt: skip
    return network


class Lite(nn.Module):
    """An EfficientNet-Lite without its head, its tensors named as those of the package's files."""

    def __init__(self, name: str, channels: int) -> None:
        super().__init__()
        from efficientnet_lite_pytorch import EfficientNet

        whole = EfficientNet.from_name(name)
        self._conv_stem, self._bn0, self._blocks = whole._conv_stem, whole._bn0, whole._blocks
        self._conv_stem.in_channels = channels
        self._conv_stem.weight = nn.Parameter(_inputs(self._conv_stem.weight.detach(), channels))
        self.act = nn.ReLU6(inplace=True)

    def forward(self, images: Tensor) -> list[Tensor]:
        """What each level says, the largest first."""
        values, levels = self.act(self._bn0(self._conv_stem(images))), []
        for block in self._blocks:
            following = block(values)
            if following.shape[-1] < values.shape[-1]:
                levels.append(values)
            values = following
        return [*levels, values]


def encoder(name: str, channels: int, width: float = 1.0, stride: int = 2) -> nn.Module:
    if not name.startswith(LITE):
        return resnet(name, channels, outputs=0, width=width, stride=stride)
    if (width, stride) != (1.0, 2):
        raise ValueError(f"width and stride are for ResNets; leave them out with {name}")
    return Lite(name, channels)


def features(network: nn.Module, images: Tensor) -> list[Tensor]:
    """What each level of an encoder says, the largest first."""
    if isinstance(network, Lite):
        levels: list[Tensor] = network(images)
        return levels
    part = network.get_submodule
    values = part("act")(part("bn1")(part("conv1")(images)))
    levels = [values]
    values = part("maxpool")(values)
    for name in ("layer1", "layer2", "layer3", "layer4"):
        values = part(name)(values)
        levels.append(values)
    return levels


@torch.no_grad()
def sizes(network: nn.Module, channels: int) -> list[int]:
    """The channels of each level, asked of the network itself, which knows its blocks' expansion."""
    network.eval()
    found = [level.shape[1] for level in features(network, torch.zeros(1, channels, 32, 32))]
    network.train()
    return found


def load_encoder(network: nn.Module, path: Path, key: str) -> str:
    """Take over pretrained weights, all but the head's; return a sentence on what was taken. `key` names the setting.

    A first layer for colour images is summed for grey ones: an image in three equal channels gives the same. What
    stands in further channels, the depth, begins without any weight.
    """
    own = {name: value for name, value in network.state_dict().items() if not name.startswith(HEAD)}
    given = {name.removeprefix("module."): value for name, value in read(path, key, ABSENT).items()}
    for name in FIRST:
        if name in given and name in own:
            given[name] = _inputs(given[name], own[name].shape[1])
    fits = {name: value for name, value in given.items() if name in own and own[name].shape == value.shape}
    if len(fits) < SHARE * sum(not name.endswith("num_batches_tracked") for name in own):
        raise UserError(
            f"{key} {path} is of another network: {len(fits)} of its {len(given)} tensors fit, and {len(own)} are "
            "needed; give weights of the very encoder that the settings name, at width 1"
        )
    network.load_state_dict(fits, strict=False)
    return f"{path.name}: {len(fits)} of {len(own)} tensors taken"


def _inputs(kernels: Tensor, channels: int) -> Tensor:
    """The first layer's kernels for another number of input channels."""
    if kernels.ndim != 4 or kernels.shape[1] == channels:
        return kernels
    changed = torch.zeros(kernels.shape[0], channels, *kernels.shape[2:], dtype=kernels.dtype)
    changed[:, 0] = kernels.sum(dim=1)
    return changed
