"""Weights that were learned elsewhere: what fits is taken, and what does not is said."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from containers.kit.errors import UserError
from containers.kit.weights import read

WRAPPERS = ("module.", "backbone.")  # what training scripts put before a network's own names
KEY, ABSENT = "train.weights", "leave it empty to begin from scratch"
NAMED = 4


def load(backbone: nn.Module, path: Path) -> str:
    """Take over the weights that fit `backbone` by name and shape; return a sentence about what was not taken."""
    given = {_bare(name): value for name, value in read(path, KEY, ABSENT).items()}
    own = backbone.state_dict()
    fits = {name: value for name, value in given.items() if name in own and own[name].shape == value.shape}
    dropped = sorted(given.keys() - fits.keys())
    fresh = sorted(name for name in own.keys() - fits.keys() if not name.endswith("num_batches_tracked"))
    if len(fits) < len(own) / 2:
        raise UserError(
            f"{KEY} {path} is of another network: {len(fits)} of its {len(given)} tensors fit, "
            f"and it has {_listed(sorted(given))}; choose the train.model that it is of"
        )
    backbone.load_state_dict(fits, strict=False)
    return f"{path.name}: {len(fits)} tensors taken; dropped: {_listed(dropped)}; begin anew: {_listed(fresh)}"


def _bare(name: str) -> str:
    for wrapper in WRAPPERS:
        name = name.removeprefix(wrapper)
    return name


def _listed(names: list[str]) -> str:
    rest = len(names) - NAMED
    return (", ".join(names[:NAMED]) or "nothing") + (f" and {rest} more" if rest > 0 else "")
