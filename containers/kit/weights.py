"""Weights in files: of those that others wrote tensors are read, and no code in the file is run."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from containers.kit.errors import UserError
from containers.kit.files import replacing, sha256

NESTED = ("state_dict", "model", "model_state_dict")  # under what training scripts save them among other things


def read(path: Path, key: str, absent: str = "give the path of a file with weights") -> dict[str, Tensor]:
    """The tensors of a .safetensors file, or of one that torch wrote; from the disk where the format allows it.

    Errors begin with `key`, the setting or argument that names the file; `absent` is what to do when it is not there.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        mapped = zipfile.is_zipfile(path)  # what torch wrote before version 1.6 is none, and has to be read whole
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except FileNotFoundError:
        raise UserError(f"{key} {path} is not there; {absent}") from None
    except (SafetensorError, OSError, RuntimeError, pickle.UnpicklingError, EOFError, ValueError) as error:
        raise UserError(f"{key} {path} cannot be read as weights ({_reason(error)})") from None
    for name in NESTED:
        if isinstance(content, dict) and isinstance(content.get(name), dict):
            content = content[name]
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        raise UserError(f"{key} {path} holds no state dict; save model.state_dict() into it")
    return content


def save(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Equal weights give equal bytes, wherever and in whatever memory layout they are."""
    with replacing(path) as partial:
        save_file({name: value.detach().cpu().contiguous() for name, value in weights.items()}, partial)


def mark(path: str, key: str) -> str:
    """What stands for the file that the setting `key` names, in a key of what depends on it."""
    if not path:
        return ""
    if not Path(path).is_file():
        raise UserError(f"{key} {path} is not there; leave it empty to begin from scratch")
    return sha256(Path(path))


def _reason(error: Exception) -> str:
    text = str(error)
    if "Unsupported global" in text:
        return "it holds Python objects beside tensors, and their code is not run; save model.state_dict() alone"
    if isinstance(error, pickle.UnpicklingError):  # torch goes on to advise a way that does run code
        return "it is damaged, or no file of tensors that torch.save wrote"
    return text.splitlines()[0] if text else type(error).__name__
