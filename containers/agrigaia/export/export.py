"""Export a trained model to ONNX as export_config.json says, and check what was exported; else save it as it is.

    export_model(model, "/train/model.pt", ".pt", save_model, {"facts": facts})

ONNX goes to the same name with .onnx, which the platform prefers. An empty export_config.json disables it.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from onnx_export import Export, ExportError, exported, padded

CONFIG = Path("export_config.json")
TYPES = ("float16", "float32", "float64", "int8", "int16", "int32", "uint8", "bool")
FRAMEWORKS = ("pytorch", "tensorflow", "keras")


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
    return exported(model, path, _checked(config))


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
