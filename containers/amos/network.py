"""The network that plans.json describes, and its weights, read into it one tensor at a time."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from containers.amos.plan import Plan
from containers.kit.errors import UserError

# A plan is data from elsewhere, so that it may name networks and layers but no other code.
NETWORKS = ("dynamic_network_architectures.", "containers.amos.")
LAYERS = ("torch.nn.", *NETWORKS)
# What nnU-Net's checkpoints hold besides tensors and plain values: the numbers of its training log. The function that
# makes them moved to another module with NumPy 2; old files name the old one.
SCALAR = np.float64(0).__reduce__()[0]
KINDS = [type(np.dtype(kind)) for kind in ("f4", "f8", "i4", "i8")]
NUMBERS: list[Any] = [np.dtype, np.ndarray, *KINDS, SCALAR, (SCALAR, "numpy.core.multiarray.scalar")]


def build(plan: Plan) -> nn.Module:
    """On the device of `torch.device(...)` as a context; with "meta" it takes no memory."""
    arguments: dict[str, Any] = dict(plan.arguments)
    for key in plan.imported:
        if arguments[key] is not None:
            arguments[key] = _named(arguments[key], LAYERS, plan)
    kind = _named(plan.network, NETWORKS, plan)
    if "deep_supervision" in inspect.signature(kind).parameters:
        arguments["deep_supervision"] = False
    try:
        network = kind(input_channels=1, num_classes=plan.classes, **arguments)
    except TypeError as error:
        raise UserError(f"configuration {plan.configuration} does not suit {plan.network}: {error}") from None
    if not isinstance(network, nn.Module):
        raise UserError(f"{plan.network} of configuration {plan.configuration} is no network; name an nn.Module")
    return network.eval()


def _named(name: str, allowed: tuple[str, ...], plan: Plan) -> Any:
    module, _, attribute = name.rpartition(".")
    if not name.startswith(allowed):
        raise UserError(f"configuration {plan.configuration} names {name}; it must begin with {' or '.join(allowed)}")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise UserError(f"configuration {plan.configuration} names {name}, which is not there ({error})") from None


def fill(network: nn.Module, path: Path) -> None:
    """Put the weights of `path` into the network: each of them, and nothing else.

    nnU-Net's networks hold many a tensor under several names; a file may have any one of them or all.
    """
    own = network.state_dict(keep_vars=True)
    missing = {tensor.data_ptr() for tensor in own.values() if tensor.numel()}
    try:
        with torch.no_grad():
            for name, value in tensors(path):
                if name not in own or own[name].shape != value.shape:
                    raise UserError(f"{path} has weights {name} that the plan's network lacks or has in another shape")
                if own[name].data_ptr() in missing:
                    own[name].copy_(value)
                    missing.discard(own[name].data_ptr())
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path} cannot be read as weights ({str(error).splitlines()[0]}); train again") from None
    if missing:
        lacking = next(name for name, tensor in own.items() if tensor.data_ptr() in missing)
        raise UserError(f"{path} lacks the weights {lacking} of the plan's network; train again")


def tensors(path: Path) -> Iterator[tuple[str, Tensor]]:
    """From a .safetensors file or a checkpoint of nnU-Net's; the file is mapped, not read as a whole."""
    if path.suffix == ".safetensors":
        with safe_open(path, framework="pt") as stream:
            for name in stream.keys():  # noqa: SIM118 (it is no mapping)
                yield name, stream.get_tensor(name)
    else:
        yield from checkpoint(path)["network_weights"].items()


def checkpoint(path: Path) -> Mapping[str, Any]:
    """A checkpoint of nnU-Net's trainer; code in it is never run."""
    try:
        with torch.serialization.safe_globals(NUMBERS):
            found = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
    except Exception as error:  # torch raises a kind for each way in which a file can be wrong
        raise UserError(f"{path} cannot be read as nnU-Net's checkpoint: {str(error).splitlines()[0]}") from None
    if not isinstance(found, dict) or not isinstance(found.get("network_weights"), dict):
        raise UserError(f"{path} is no checkpoint of nnU-Net's: it has no network_weights")
    return found
