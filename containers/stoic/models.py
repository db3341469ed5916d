"""The networks by name, and how one's own is found: `module:Class`, made as `Class(outputs=2, **model_args)`."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from containers.kit.errors import UserError
from containers.stoic.demographics import ImageOnly, WithDemographics

OUTPUTS = ("covid", "severe")
FEATURES = 32  # what the image says when age and sex are given too

Maker = Callable[..., nn.Module]


def build(name: str, args: Mapping[str, Any], demographics: bool = False) -> nn.Module:
    """The whole network: (images, people) to one logit for each of OUTPUTS."""
    maker = find(name)
    outputs = FEATURES if demographics else len(OUTPUTS)
    try:
        backbone = maker(outputs=outputs, **{key: _as_tuple(value) for key, value in args.items()})
    except (TypeError, ValueError) as error:
        raise UserError(f"train.model_args does not suit train.model {name}: {error}") from None
    return WithDemographics(backbone, FEATURES, len(OUTPUTS)) if demographics else ImageOnly(backbone)


def find(name: str) -> Maker:
    """What makes the network called `name`."""
    if name in KNOWN:
        return KNOWN[name]
    module, colon, attribute = name.partition(":")
    if not colon:
        known = ", ".join(KNOWN)
        raise UserError(f"train.model {name!r} is not known; it is one of {known}, or module:Class for one's own")
    try:
        maker: Maker = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(
            f"train.model {name!r} cannot be imported ({error}); it names a module and a class in it"
        ) from None
    return maker


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


def _as_tuple(value: Any) -> Any:
    """JSON has lists where the makers of networks expect tuples."""
    return tuple(_as_tuple(item) for item in value) if isinstance(value, list) else value


KNOWN: dict[str, Maker] = {
    "i3d": _i3d,
    **{name: _resnet(name) for name in ("resnet10", "resnet18", "resnet34", "resnet50")},
    "densenet121": _densenet,
}
