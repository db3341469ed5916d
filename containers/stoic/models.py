"""The networks by name, and how one's own is found: `module:Class`, made as `Class(outputs=2, **model_args)`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from containers.kit.named import Maker, make
from containers.stoic.demographics import ImageOnly, WithDemographics

OUTPUTS = ("covid", "severe")
FEATURES = 32  # what the image says when age and sex are given too


def build(name: str, args: Mapping[str, Any], demographics: bool = False) -> nn.Module:
    """The whole network: (images, people) to one logit for each of OUTPUTS."""
    outputs = FEATURES if demographics else len(OUTPUTS)
    backbone = make(name, args, KNOWN, "train.model", outputs=outputs)
    return WithDemographics(backbone, FEATURES, len(OUTPUTS)) if demographics else ImageOnly(backbone)


def parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def _i3d(outputs: int, **args: Any) -> nn.Module:
    from containers.stoic.i3d import I3D

    return I3D(outputs, **args)


def _resnet(name: str) -> Maker:
    def make(outputs: int, **args: Any) -> nn.Module:
        from monai.networks.nets import resnet  # MONAI takes seconds to import, so only where it is used

        network: nn.Module = getattr(resnet, name)(spatial_dims=3, n_input_channels=1, num_classes=outputs, **args)
        return network

    return make


def _densenet(outputs: int, **args: Any) -> nn.Module:
    from monai.networks.nets.densenet import DenseNet121

    network: nn.Module = DenseNet121(spatial_dims=3, in_channels=1, out_channels=outputs, **args)
    return network


KNOWN: dict[str, Maker] = {
    "i3d": _i3d,
    **{name: _resnet(name) for name in ("resnet10", "resnet18", "resnet34", "resnet50")},
    "densenet121": _densenet,
}
