"""Write a PyTorch model as ONNX, and check the file: onnxruntime must answer as torch does."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOLERANCE = 1e-2  # of the largest output; half precision comes near it, a wrong export does not
LEAST = 1e-5  # where all outputs are near 0
SEED = 2021
OWN_OPSET = 18  # that torch exports to


class ExportError(Exception):
    """One sentence."""


@dataclass(frozen=True)
class Export:
    """The form's keys, those of PyTorch."""

    input_shapes: list[list[int]]
    input_types: list[str]
    input_names: list[str]
    output_names: list[str]
    verbose: bool
    training: str
    opset: int


def padded(names: Sequence[str], count: int, word: str) -> list[str]:
    """`Input 2` and so on for what has no name."""
    return [*names, *(f"{word} {number}" for number in range(len(names) + 1, count + 1))]


def exported(model: Any, path: Path, wanted: Export) -> str:
    """Write the file and say what came of it."""
    import torch

    was_training = model.training
    if wanted.training != "PRESERVE":
        model.train(wanted.training == "TRAINING")
    try:
        examples = _examples(wanted, next(model.parameters()).device)
        with torch.no_grad():
            expected = _listed(model(*examples))
        outputs = padded(wanted.output_names, len(expected), "Output")
        if len(outputs) > len(expected):
            raise ExportError(f"output_names has {len(outputs)} names for {len(expected)} outputs; take some out")
        part = path.with_name(f".{path.name}.part")
        try:
            version = _written(model, part, examples, wanted, outputs)
            told = "it learns, so it is not compared"
            if not model.training:
                told = _compared(part, examples, expected, wanted.input_names)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    finally:
        model.train(was_training)
    shapes = ", ".join(f"{name} {shape}" for name, shape in zip(wanted.input_names, wanted.input_shapes, strict=True))
    instead = "" if version == wanted.opset else f" instead of {wanted.opset}, to which it cannot be taken"
    return f"ONNX: {path} (opset {version}{instead}; {shapes} -> {', '.join(outputs)}); {told}"


def _examples(wanted: Export, device: Any) -> tuple[Any, ...]:
    """Random, since a network that was exported wrongly may be right about ones."""
    import torch

    random = torch.Generator().manual_seed(SEED)
    found = []
    for shape, kind in zip(wanted.input_shapes, wanted.input_types, strict=True):
        dtype = getattr(torch, kind)
        values = torch.rand(shape, generator=random)
        if not dtype.is_floating_point:
            values = values * (2 if kind == "bool" else 127)
        found.append(values.to(dtype).to(device))
    return tuple(found)


def _listed(outputs: Any) -> list[Any]:
    if isinstance(outputs, Mapping):
        outputs = outputs.values()
    return list(outputs) if not hasattr(outputs, "shape") else [outputs]


def _written(model: Any, path: Path, examples: tuple[Any, ...], wanted: Export, outputs: list[str]) -> int:
    """Export to a file and return the opset that it has."""
    import onnx
    import torch

    with contextlib.nullcontext() if wanted.verbose else _quiet():
        program: Any = torch.onnx.export(
            model,
            examples,
            dynamo=True,
            input_names=wanted.input_names,
            output_names=outputs,
            opset_version=max(wanted.opset, OWN_OPSET),
            verbose=wanted.verbose,
        )
    content = _of_opset(program.model_proto, wanted.opset)
    onnx.checker.check_model(content)
    onnx.save(content, str(path))
    return _opset(content)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what torch says on the way, which would be pages; an error has the reason in it."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _of_opset(content: Any, opset: int) -> Any:
    """In the older form that is wanted, where onnx knows a way to it; else as it is."""
    from onnx import version_converter

    if opset >= _opset(content):
        return content
    older = type(content)()
    older.CopyFrom(content)
    for node in older.graph.node:  # 0 is the default, and older forms do not have it
        for attribute in [one for one in node.attribute if one.name == "noop_with_empty_axes" and not one.i]:
            node.attribute.remove(attribute)
    try:
        return version_converter.convert_version(older, opset)
    except RuntimeError:
        return content


def _opset(content: Any) -> int:
    return max(int(entry.version) for entry in content.opset_import if entry.domain in ("", "ai.onnx"))


def _compared(path: Path, examples: tuple[Any, ...], expected: list[Any], names: list[str]) -> str:
    """What onnxruntime makes of the same input, in words; an error where it is something else."""
    import numpy as np
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    given = {name: value.cpu().numpy() for name, value in zip(names, examples, strict=True)}
    found = session.run(None, given)
    largest = 0.0
    for one, other in zip(found, (value.cpu().numpy() for value in expected), strict=True):
        difference = float(np.abs(one.astype(np.float64) - other.astype(np.float64)).max(initial=0.0))
        allowed = TOLERANCE * float(np.abs(other).max(initial=0.0)) + LEAST
        if one.shape != other.shape or not difference <= allowed:
            raise ExportError(f"onnxruntime's output differs from torch's by {difference:.2g}; report this model")
        largest = max(largest, difference)
    return f"onnxruntime differs from torch by at most {largest:.2g}"
