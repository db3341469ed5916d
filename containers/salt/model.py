"""A trained model: what says whether there is salt, what says where, and what was tuned after both."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from containers.kit.errors import UserError
from containers.kit.files import read_json, sha256
from containers.kit.settings import build
from containers.kit.weights import read
from containers.salt import networks
from containers.salt.settings import PROCESSED, SOURCES, Inputs
from containers.salt.variants import Choices, choices_of

DESCRIPTION = "model.json"
KINDS = {"classifier": networks.classifier, "segmentation": networks.segmenter}
AGAIN = "make the artifact again"


@dataclass(frozen=True)
class Model:
    """Networks in evaluation mode on their device, those of all folds and snapshots; none of a kind not asked for."""

    inputs: Inputs
    choices: Choices
    classifiers: tuple[nn.Module, ...]
    segmenters: tuple[nn.Module, ...]


def kinds(variants: Collection[str]) -> set[str]:
    """Which networks these variants need."""
    sources = {variant.removesuffix(PROCESSED) for variant in variants}
    needed = {"classifier"} & sources | {"segmentation"} & sources
    return set(KINDS) if SOURCES[-1] in sources else needed


def load(folder: Path, device: torch.device, only: Collection[str] = tuple(KINDS)) -> Model:
    """The artifact that workflow/scripts/salt/artifact.py writes; `only` names the kinds of networks to load."""
    path = folder / DESCRIPTION
    found = read_json(path)
    if not isinstance(found, dict) or found.get("challenge") != "salt" or found.get("schema") != 1:
        raise UserError(f"{path} does not describe a model of TGS salt; {AGAIN}")
    try:
        inputs = build(Inputs, found["inputs"], f"{path}: inputs")
        choices = choices_of(found["choices"], f"{path}: choices")
        files = {kind: _files(folder, found[kind]) if kind in only else () for kind in KINDS}
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is damaged ({type(error).__name__}: {error}); {AGAIN}") from None
    made = {
        kind: tuple(network(kind, found[kind], file, inputs).to(device) for file in of_kind)
        for kind, of_kind in files.items()
    }
    return Model(inputs, choices, made["classifier"], made["segmentation"])


def _files(folder: Path, said: Mapping[str, Any]) -> tuple[Path, ...]:
    """Those of the networks of a kind, once it is seen that all is said of them."""
    if not (isinstance(said["model"], str) and isinstance(said["model_args"], dict) and said["files"]):
        raise TypeError("no network")
    return tuple(verified(folder, entry) for entry in said["files"])


def network(kind: str, said: Mapping[str, Any], path: Path, inputs: Inputs) -> nn.Module:
    """One network with its weights, ready to predict; `said` names it by `model` and `model_args`."""
    made = KINDS[kind](said["model"], said["model_args"], inputs.channels, f"{kind}.model")
    try:
        made.load_state_dict(read(path, "the file of weights", AGAIN))
    except RuntimeError as error:
        wrong = " ".join(str(error).split())[:200]
        raise UserError(f"{path} does not suit {kind}.model {said['model']} ({wrong}); train it again") from None
    return made.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def verified(folder: Path, entry: Mapping[str, Any]) -> Path:
    """The very file that was written down, below `folder`."""
    path: Path = folder / entry["file"]
    if not path.resolve().is_relative_to(folder.resolve()):
        raise UserError(f"{folder} is said to hold {entry['file']}, which lies outside of it; {AGAIN}")
    if not path.is_file():
        raise UserError(f"{path}, which belongs to the model, is not there; {AGAIN}")
    if sha256(path) != entry["sha256"]:
        raise UserError(f"{path} is not the file that was written down (its SHA-256 differs); {AGAIN}")
    return path
