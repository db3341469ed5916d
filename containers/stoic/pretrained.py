"""Weights that were learned elsewhere: what fits is taken, and what does not is said."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from containers.kit.errors import UserError

WRAPPERS = ("module.", "backbone.")  # what training scripts put before a network's own names
NESTED = ("state_dict", "model", "model_state_dict")
NAMED = 4


def load(backbone: nn.Module, path: Path) -> str:
    """Take over the weights that fit `backbone` by name and shape; return a sentence about what was not taken."""
    given = {_bare(name): value for name, value in read(path).items()}
    own = backbone.state_dict()
    fits = {name: value for name, value in given.items() if name in own and own[name].shape == value.shape}
    dropped = sorted(given.keys() - fits.keys())
    fresh = sorted(name for name in own.keys() - fits.keys() if not name.endswith("num_batches_tracked"))
    if len(fits) < len(own) / 2:
        raise UserError(
            f"train.weights {path} is of another network: {len(fits)} of its {len(given)} tensors fit, "
            f"and it has {_listed(sorted(given))}; choose the train.model that it is of"
        )
    backbone.load_state_dict(fits, strict=False)
    return f"{path.name}: {len(fits)} tensors taken; dropped: {_listed(dropped)}; begin anew: {_listed(fresh)}"


def read(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors file, or of one that torch wrote; no code in it is run."""
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UserError(f"train.weights {path} is not there; leave it empty to begin from scratch") from None
    except (SafetensorError, OSError, RuntimeError, pickle.UnpicklingError, EOFError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"train.weights {path} cannot be read as weights ({reason})") from None
    for name in NESTED:
        if isinstance(content, dict) and isinstance(content.get(name), dict):
            content = content[name]
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        raise UserError(f"train.weights {path} holds no state dict; save model.state_dict() into it")
    return content


def _bare(name: str) -> str:
    for wrapper in WRAPPERS:
        name = name.removeprefix(wrapper)
    return name


def _listed(names: list[str]) -> str:
    rest = len(names) - NAMED
    return (", ".join(names[:NAMED]) or "nothing") + (f" and {rest} more" if rest > 0 else "")
