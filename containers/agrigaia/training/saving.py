"""Files of models, whole or not at all, by their suffixes."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

PICKLED, SCRIPTED = (".pt", ".pth"), ".torchscript"


def check_suffix(path: Path) -> None:
    if path.suffix not in (*PICKLED, SCRIPTED):
        raise SystemExit(
            f"error: model-file {path.name} ends with none of {', '.join((*PICKLED, SCRIPTED))}; "
            "give presets.json and custom.json one of these"
        )


def save_model(model: nn.Module, model_filepath: str | Path, facts: Mapping[str, Any], size: int) -> None:
    """.pt and .pth: weights and facts, which `torch.load` reads with weights_only. .torchscript: the network as well.

    `facts` say what the model is (its name, its classes), and are kept with it.
    """
    path = Path(model_filepath)
    check_suffix(path)
    if path.suffix in PICKLED:
        weights = {name: value.cpu() for name, value in model.state_dict().items()}
        replacing(path, lambda part: torch.save({"facts": dict(facts), "weights": weights}, part))
        return
    example = torch.zeros(1, 3, size, size, device=next(model.parameters()).device)
    with torch.no_grad():
        traced = torch.jit.trace(model.eval(), example)
    extra = {"facts.json": json.dumps(facts, ensure_ascii=False)}
    replacing(path, lambda part: torch.jit.save(traced, str(part), _extra_files=extra))


def deliver(model: nn.Module, path: Path, facts: Mapping[str, Any], size: int) -> None:
    """The model at its place, which can be learnt on, and in ONNX where that is wanted."""
    model.eval().cpu()
    details: dict[str, Any] = {"facts": facts, "size": size}
    save_model(model, path, **details)
    print(f"The model is in {path}.", flush=True)
    try:
        from export import export_model
    except ImportError as error:  # the platform's own may want packages that are not here
        path.with_suffix(".onnx").unlink(missing_ok=True)  # of an earlier run, which the platform would take
        print(f"ONNX: export.py cannot be used ({error}), so the model is there as {path.suffix} alone.", flush=True)
        return
    export_model(model, str(path), path.suffix, save_model, details)


def replacing(path: Path, write: Callable[[Path], None]) -> None:
    """Have a file written under another name, and give it its own when it is whole."""
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(part)
        part.replace(path)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        with contextlib.suppress(OSError):
            part.unlink()
        words = " ".join(str(error).split())[:200]
        raise SystemExit(f"error: {path} cannot be written ({words}); make room there, or mount it writable") from None
