"""Export a trained model to ONNX as export_config.json says, and check what was exported; else save it as it is.

    export_model(model, "/train/model.pt", ".pt", save_model, {"facts": facts})

ONNX goes to the same name with .onnx, which the platform prefers. An empty export_config.json disables it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONFIG = Path("export_config.json")
TYPES = ("float16", "float32", "float64", "int8", "int16", "int32", "uint8", "bool")
FRAMEWORKS = ("pytorch", "tensorflow", "keras")
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


def export_model(
    model: Any,
    model_filepath: str | Path,
    model_format: str,
    default_model_export_func: Callable[..., Any],
    default_model_export_kwargs: Mapping[str, Any] | None = None,
) -> Path:
    """To ONNX, or with the given function to `model_filepath` where that is disabled or fails; where it is now."""
    path = Path(model_filepath)
    onnx = path.with_suffix(".onnx")
    try:
        config = _config(CONFIG)
        if not config:
            print("ONNX: export_config.json is empty, so nothing is exported to it.")
        else:
            print(_exported(model, onnx, config), flush=True)
            return onnx
    except Exception as error:  # the model is saved, whatever an exporter says
        words = " ".join(str(error).split()) or "it gave no reason"
        if not isinstance(error, ExportError):
            words = f"{type(error).__name__}: {words[:400]}"
        print(f"ONNX: the export failed, and the model is saved as {model_format} instead ({words})", flush=True)
    if onnx.exists():
        onnx.unlink()
        print(f"ONNX: {onnx} of an earlier run is removed, since the platform would take it.")
    default_model_export_func(model, str(path), **(default_model_export_kwargs or {}))
    return path


def _config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ExportError(f"{path} cannot be read ({error.strerror}); put it beside train.py") from None
    except ValueError as error:
        raise ExportError(f"{path} is not readable as JSON ({error}); correct it") from None
    if not isinstance(config, dict):
        raise ExportError(f"{path} holds no object; write its keys and values between braces")
    return config


def _exported(model: Any, path: Path, config: Mapping[str, Any]) -> str:
    framework = config.get("model_type", "pytorch")
    if framework not in FRAMEWORKS:
        raise ExportError(f"model_type is {framework!r}; choose one of {', '.join(FRAMEWORKS)}")
    if framework != "pytorch":
        if importlib.util.find_spec(framework) is None:
            raise ExportError(f"model_type is {framework}, which is not installed here; set it to pytorch")
        raise ExportError(f"model_type is {framework} and the model is PyTorch's; set it to pytorch")
    return _of_torch(model, path, _checked(config))


def _checked(config: Mapping[str, Any]) -> Export:
    shapes, types = config.get("input_shapes"), config.get("input_types")
    if not isinstance(shapes, list) or not shapes or not isinstance(types, list) or len(types) != len(shapes):
        raise ExportError("input_shapes and input_types must be lists of the same length; give a type for each shape")
    if any(not isinstance(shape, list) or not shape or any(_size(side) < 1 for side in shape) for shape in shapes):
        raise ExportError(f"input_shapes is {shapes}; give whole numbers from 1 on")
    unknown = [name for name in types if name not in TYPES]
    if unknown:
        raise ExportError(f"input_types has {unknown[0]!r}, which no tensor has; choose among {', '.join(TYPES)}")
    kind = config.get("operator_export_type", "ONNX")
    if kind != "ONNX":
        raise ExportError(f"operator_export_type is {kind}, which torch has no more; set it to ONNX")
    training = config.get("training", "EVAL")
    if training not in ("EVAL", "PRESERVE", "TRAINING"):
        raise ExportError(f"training is {training!r}; choose EVAL, PRESERVE or TRAINING")
    names = list(config.get("input_names") or [])
    if len(names) > len(shapes):
        raise ExportError(f"input_names has {len(names)} names for {len(shapes)} shapes; take some out")
    sizes = [[_size(side) for side in shape] for shape in shapes]
    outputs = list(config.get("output_names") or [])
    opset = _size(config.get("opset_version", 14))
    names = padded(names, len(sizes), "Input")
    return Export(sizes, types, names, outputs, bool(config.get("verbose")), training, opset)


def _size(value: Any) -> int:
    """A whole number; -1 for what is none."""
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and value == int(value) else -1


def padded(names: Sequence[str], count: int, word: str) -> list[str]:
    """`Input 2` and so on for what has no name."""
    return [*names, *(f"{word} {number}" for number in range(len(names) + 1, count + 1))]


def _of_torch(model: Any, path: Path, wanted: Export) -> str:
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
