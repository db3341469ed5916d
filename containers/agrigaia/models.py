"""Model files, opened as those who use them would: a complaint is the rest of a sentence that begins with the file."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from containers.kit.errors import UserError

SIDE = 64  # of an axis whose length the model leaves open; the first one, the batch, is 1
MOST = 1 << 28  # numbers in an input
KINDS = {
    "tensor(float16)": np.float16,
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int8)": np.int8,
    "tensor(int16)": np.int16,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(uint8)": np.uint8,
    "tensor(bool)": np.bool_,
}


def answers(path: Path) -> None:
    """An ONNX file must load, and give finite numbers for a random input of the shape that it declares."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        given = {one.name: _random(one.name, one.type, one.shape) for one in session.get_inputs()}
        outputs = session.run(None, given)
    except UserError:
        raise
    except Exception as error:  # its exceptions have no common type but this one
        raise UserError(f"does not run in onnxruntime ({_words(error)}); see what the export printed") from None
    for one, values in zip(session.get_outputs(), outputs, strict=True):
        if isinstance(values, np.ndarray) and values.dtype.kind == "f" and not np.isfinite(values).all():
            raise UserError(f"gives numbers that are not finite for a random input, in {one.name}; see the training")


def scripted(path: Path) -> None:
    import torch

    try:
        model = torch.jit.load(path, map_location="cpu")
    except (RuntimeError, ValueError) as error:
        raise UserError(f"is no TorchScript that torch loads ({_words(error)}); save it by torch.jit.save") from None
    _finite({**dict(model.named_parameters()), **dict(model.named_buffers())})


def pickled(path: Path) -> None:
    """.pt and .pth: weights, or TorchScript, which many save with these endings."""
    import torch

    if _is_script(path):
        scripted(path)
        return
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch has one for each way in which a file can be broken
        raise UserError(
            f"does not load with torch.load(weights_only=True) ({_words(error)}); save state_dict(), "
            "whole and without objects of your own"
        ) from None
    _finite(weights)


def _is_script(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _finite(value: Any) -> None:
    import torch

    for name, tensor in _tensors(value, ""):
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise UserError(f"holds weights that are not finite, in {name or 'its tensor'}; see the training")


def _tensors(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if hasattr(value, "is_floating_point"):
        yield name, value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _tensors(part, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        for number, part in enumerate(value):
            yield from _tensors(part, f"{name}[{number}]")


def _random(name: str, kind: str, shape: list[Any]) -> Any:
    if kind not in KINDS:
        raise UserError(f"has an input {name} of the kind {kind}, which no picture has; export it with one of numbers")
    sides = [side if isinstance(side, int) and side > 0 else SIDE if at else 1 for at, side in enumerate(shape)]
    if math.prod(sides) > MOST:
        raise UserError(
            f"has an input {name} of {' x '.join(map(str, sides))}, more than memory takes; export it smaller"
        )
    values = np.random.default_rng(0).random(sides)
    return values.astype(KINDS[kind]) if "float" in kind or "double" in kind else (values * 2).astype(KINDS[kind])


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__
