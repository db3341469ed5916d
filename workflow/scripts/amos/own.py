"""A network of the user's own in the place of the planned one."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

import torch
from torch import nn

from containers.amos.network import NETWORKS
from containers.amos.organs import LABELS
from containers.amos.settings import Train
from containers.kit.errors import UserError, did_you_mean

GIVEN = {"input_channels", "num_classes", "deep_supervision"}  # whoever builds the network knows these


def put(configuration: dict[str, Any], train: Train) -> None:
    """Write the user's class into a configuration of the plans, and build it once to see that it works.

    What the plan has worked out (strides, features_per_stage, ...) goes to the class where it has arguments of those
    names, so that a variant of nnU-Net's network needs no network_args at all.
    """
    kind = find(train.network)
    if not kind.__module__.startswith(NETWORKS):
        raise UserError(f"train.network {train.network} will not be in the image; put its module into containers/amos")
    planned = configuration["architecture"]
    wanted = _arguments(kind)
    unknown = [name for name in train.network_args if name in GIVEN or (wanted is not None and name not in wanted)]
    if unknown:
        hint = did_you_mean(unknown[0], wanted or (), "look at its __init__")
        raise UserError(f"train.network_args.{unknown[0]} is no argument to set of {train.network}; {hint}")
    kwargs = {name: value for name, value in planned["arch_kwargs"].items() if wanted is None or name in wanted}
    kwargs |= train.network_args
    configuration["architecture"] = {
        "network_class_name": f"{kind.__module__}.{kind.__qualname__}",
        "arch_kwargs": kwargs,
        "_kw_requires_import": [name for name in planned["_kw_requires_import"] if name in kwargs],
    }
    _try(configuration, train.network)


def find(network: str) -> type[nn.Module]:
    """The class that `module:Class` names."""
    module, _, name = network.partition(":")
    try:
        kind = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise UserError(f"train.network {network} cannot be imported ({error}); write it as module:Class") from None
    if not (isinstance(kind, type) and issubclass(kind, nn.Module)):
        raise UserError(f"train.network {network} is not a class of torch.nn.Module; name one that is")
    return kind


def takes_deep_supervision(configuration: dict[str, Any]) -> bool:
    """Whether the network can also give coarser outputs: it can be told to, and the plan knows their scales."""
    return "strides" in configuration["architecture"]["arch_kwargs"] and _can_be_told(_class(configuration))


def build(configuration: dict[str, Any], inputs: int, outputs: int, deep_supervision: bool) -> nn.Module:
    """The network of a configuration as nnU-Net builds it; one that knows no deep supervision is not asked for it."""
    from nnunetv2.utilities.get_network_from_plans import get_network_from_plans

    architecture = configuration["architecture"]
    told = {"deep_supervision": deep_supervision} if _can_be_told(_class(configuration)) else {}
    network: nn.Module = get_network_from_plans(
        architecture["network_class_name"],
        architecture["arch_kwargs"] | told,
        architecture["_kw_requires_import"],
        inputs,
        outputs,
    )
    return network


def _class(configuration: dict[str, Any]) -> type[nn.Module]:
    module, _, name = configuration["architecture"]["network_class_name"].rpartition(".")
    return find(f"{module}:{name}")


def _can_be_told(kind: type[nn.Module]) -> bool:
    return "deep_supervision" in inspect.signature(kind).parameters


def _arguments(kind: type[nn.Module]) -> set[str] | None:
    """The names of the arguments that the class can be built with; None if it takes any."""
    parameters = inspect.signature(kind).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return {parameter.name for parameter in parameters} - GIVEN


def _try(configuration: dict[str, Any], network: str) -> None:
    """A wrong shape must not show only after hours of preprocessing."""
    patch = tuple(int(side) for side in configuration["patch_size"])
    try:
        built = build(configuration, 1, len(LABELS), False).eval()
        with torch.no_grad():
            given = tuple(built(torch.zeros(1, 1, *patch)).shape)
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"train.network {network} does not work on a patch of {patch}: {reason}") from error
    if given != (1, len(LABELS), *patch):
        raise UserError(f"train.network {network} gives {given} where {(1, len(LABELS), *patch)} is needed")
