"""The networks that can be named: timm:NAME, a class of model/model_description.py, or a name of torchvision's."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from containers.kit.errors import UserError, did_you_mean, listed
from containers.objectnet import zoo
from containers.objectnet.settings import Transform

if TYPE_CHECKING:
    from torch import Tensor, nn

DESCRIPTION = "containers.objectnet.model.model_description"
WRAPPERS = ("module.", "_orig_mod.", "model.")  # what training scripts put before a network's own names
CHECKPOINT = "model-checkpoint"  # the argument that errors name


def network(model: str, model_args: Mapping[str, Any]) -> nn.Module:
    """The network with weights of no use yet."""
    if model.startswith(zoo.TIMM):
        return zoo.of_timm(model, model_args)
    own = described()
    if model in own:
        return zoo.made(model, lambda: own[model](**model_args))
    try:
        return zoo.of_torchvision(model, model_args, sorted(own))
    except zoo.NotUsableError as error:
        hint = did_you_mean(model, own, f"that has {listed(sorted(own)) or 'none'}")
        raise UserError(f"model {model} is no class of model/model_description.py ({hint}), and {error}") from None


def described() -> dict[str, Callable[..., Any]]:
    """What model/model_description.py offers, by name."""
    try:
        module = importlib.import_module(DESCRIPTION)
    except Exception as error:  # whatever a participant's file does wrong
        raise UserError(f"model/model_description.py cannot be imported ({zoo.first_line(error)}); mend it") from error
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and _offered(value, module.__name__)
    }


def transform_of(model: str, model_args: Mapping[str, Any] | None = None) -> Transform | None:
    """How a timm model wants its pictures; of any other network nothing is known."""
    return zoo.transform_of_timm(model, model_args or {}) if model.startswith(zoo.TIMM) else None


def load(network: nn.Module, checkpoint: Path) -> None:
    """Give the network the checkpoint's weights, all of them; no code in the file is run.

    The network gives up the weights that it has and takes over the tensors that were read, so that large ones lie in
    memory once; after an error it is of no use.
    """
    from containers.kit.weights import read

    _forget(network)
    given, own = _bare(read(checkpoint, CHECKPOINT), network), network.state_dict()
    needed = {name for name in own if not name.endswith("num_batches_tracked")}
    shapes = [
        f"{name} is {_shape(given[name])} instead of {_shape(own[name])}"
        for name in own
        if name in given and given[name].shape != own[name].shape
    ]
    missing, foreign = sorted(needed - given.keys()), sorted(given.keys() - own.keys())
    problems = [
        *([f"it lacks {listed(missing)}"] if missing else []),
        *([f"the network has no {listed(foreign)}"] if foreign else []),
        *shapes[:1],
    ]
    if problems:
        fits = sum(name in given and given[name].shape == own[name].shape for name in needed)
        raise UserError(
            f"{CHECKPOINT} {checkpoint} is of another network than {type(network).__name__}, {fits} of whose "
            f"{len(needed)} tensors it has: {'; '.join(problems)}; name the class that it was saved from"
        )
    kind = {name: value.to(own[name].dtype) for name, value in given.items()}
    network.load_state_dict({**own, **kind}, assign=True)


def _forget(network: nn.Module) -> None:
    """Keep of each weight its shape and kind."""
    from torch import nn

    for name, value in list(network.named_parameters(remove_duplicate=False)):
        module, _, own = name.rpartition(".")
        setattr(network.get_submodule(module), own, nn.Parameter(value.to("meta"), value.requires_grad))


def _offered(value: Any, module: str) -> bool:
    """A class or function of the file itself, or a network that it takes from elsewhere."""
    from torch import nn

    if inspect.isclass(value) and issubclass(value, nn.Module):
        return value is not nn.Module
    return callable(value) and getattr(value, "__module__", None) == module


def _bare(given: dict[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Without what was put before every name."""
    own = network.state_dict().keys()
    for wrapper in WRAPPERS:
        if given and all(name.startswith(wrapper) for name in given) and not own & given.keys():
            given = {name.removeprefix(wrapper): value for name, value in given.items()}
    return given


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "one number"
