"""Is there any salt? A two-dimensional ResNet, and pretrained weights for it and for the encoder made of one."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from containers.kit.errors import UserError
from containers.kit.weights import read

ABSENT = "leave it empty to begin from scratch"
HEAD = ("fc.",)  # what pretrained weights know of their own classes
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


class Classifier(nn.Module):
    """(n, channels, h, w) to one logit an image (n,): above zero, it has salt."""

    def __init__(
        self, channels: int = 1, network: str = "resnet18", width: float = 1.0, stride: int = 2, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.encoder = resnet(network, channels, outputs=1, width=width, stride=stride)
        if dropout:
            self.encoder.fc = nn.Sequential(nn.Dropout(dropout), self.encoder.get_submodule("fc"))

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.encoder(images)
        return logits.squeeze(1)


def load_encoder(encoder: nn.Module, path: Path, key: str) -> str:
    """Take over pretrained weights, all but the head's; return a sentence on what was taken. `key` names the setting.

    A first layer for colour images is summed for grey ones: an image in three equal channels gives the same. What
    stands in further channels, the depth, begins without any weight.
    """
    own = {name: value for name, value in encoder.state_dict().items() if not name.startswith(HEAD)}
    given = {name.removeprefix("module."): value for name, value in read(path, key, ABSENT).items()}
    if "conv1.weight" in given and "conv1.weight" in own:
        given["conv1.weight"] = _inputs(given["conv1.weight"], own["conv1.weight"].shape)
    fits = {name: value for name, value in given.items() if name in own and own[name].shape == value.shape}
    if len(fits) < SHARE * sum(not name.endswith("num_batches_tracked") for name in own):
        raise UserError(
            f"{key} {path} is of another network: {len(fits)} of its {len(given)} tensors fit, and {len(own)} are "
            "needed; give weights of the very ResNet that the settings name, at width 1"
        )
    encoder.load_state_dict(fits, strict=False)
    return f"{path.name}: {len(fits)} of {len(own)} tensors taken"


def _inputs(kernels: Tensor, shape: torch.Size) -> Tensor:
    """The first layer's kernels for another number of input channels."""
    if kernels.ndim != 4 or kernels.shape[1] == shape[1]:
        return kernels
    changed = torch.zeros(kernels.shape[0], shape[1], *kernels.shape[2:], dtype=kernels.dtype)
    changed[:, 0] = kernels.sum(dim=1)
    return changed
