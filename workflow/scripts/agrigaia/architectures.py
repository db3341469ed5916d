"""An architecture's folder: Slipway's own by their names, a user's by its path; and all files that a template has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError, did_you_mean
from workflow.scripts.agrigaia import soundness
from workflow.scripts.slipway.jsonschemas import Draft202012Validator, best_match

AGRIGAIA = Path(__file__).resolve().parents[3] / "containers" / "agrigaia"
ROOT = AGRIGAIA.parents[1]
SHIPPED = AGRIGAIA / "architectures"
KEY = "challenges.agrigaia.architecture"
SHARED = ("common", "training", "export")  # folders whose files are in every template
USUAL = (".env", "Dockerfile", "requirements.txt")  # for architectures that have none of their own
SCHEMA, CUSTOM, PRESETS = "config.jsonschema", "custom.json", "presets.json"
EXPORT, NAMES = "export_config.json", "architecture.json"
NEEDED = (SCHEMA, CUSTOM, PRESETS, EXPORT, "setup.py", "train.py")
MADE = ("train_config.json", NAMES)  # of the configuration, so that none is copied


@dataclass(frozen=True)
class Architecture:
    name: str  # as the configuration has it
    folder: Path
    schema: Mapping[str, Any]  # the platform's form
    export: Mapping[str, Any]  # of the model in its usual form to ONNX; empty where there is none
    custom: Mapping[str, str]
    files: Mapping[str, Path]  # of the template, by their names there
    category: str  # of the package, where the configuration names none; empty where nobody does
    architecture: str


def shipped() -> list[str]:
    return sorted(path.name for path in SHIPPED.iterdir() if (path / SCHEMA).is_file())


def read(choice: str) -> Architecture:
    """The architecture, sound in all that can be known before it runs."""
    folder = SHIPPED / choice if choice in shipped() else Path(choice)
    if not folder.is_dir():
        hint = did_you_mean(choice, shipped(), f"choose {' or '.join(shipped())}, or name a folder of your own")
        raise UserError(f"{KEY}: '{choice}' is neither an architecture of Slipway's nor a folder; {hint}")
    for name in NEEDED:
        if not (folder / name).is_file():
            raise UserError(f"{KEY}: {folder} has no {name}; add it, as {SHIPPED.relative_to(ROOT)} has it")
    presets = _json(folder / PRESETS)
    if not isinstance(presets, dict):
        raise UserError(f"{folder / PRESETS} holds no object; write its keys and values between braces")
    category, title = _names(folder / NAMES)
    return Architecture(
        name=choice,
        folder=folder,
        schema=soundness.form(_json(folder / SCHEMA), folder / SCHEMA),
        export=_export(folder / EXPORT),
        custom=soundness.custom(_json(folder / CUSTOM), folder / CUSTOM),
        files=_files(folder),
        category=category,
        architecture=title,
    )


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); check whose it is") from None
    except ValueError as error:  # no JSON, or no UTF-8
        raise UserError(f"{path} is not readable as JSON ({error}); correct it there") from None


def _export(path: Path) -> dict[str, Any]:
    content = _json(path)
    if not isinstance(content, dict):
        raise UserError(f"{path} holds no object; write {{}} where nothing is exported")
    form = _json(AGRIGAIA / "export" / "export.jsonschema")
    error = best_match(Draft202012Validator(form).iter_errors(content)) if content else None
    if error is not None:
        at = ".".join(map(str, error.absolute_path)) or "it"
        raise UserError(f"{path}: {at}: {error.message[:200]}; correct it there")
    return content


def _names(path: Path) -> tuple[str, str]:
    """Category and name in the package, empty where the architecture says none."""
    content = _json(path) if path.is_file() else {}
    known = ("category", "architecture")
    texts = isinstance(content, dict) and all(isinstance(value, str) for value in content.values())
    if not texts or any(key not in known for key in content):
        raise UserError(f"{path} may have the keys {' and '.join(known)} with texts; take out what differs")
    return content.get("category", ""), content.get("architecture", "")


def _files(folder: Path) -> dict[str, Path]:
    """Everything that lies in the template as it is here; no name means two files."""
    found: dict[str, Path] = {}
    for place in (*(AGRIGAIA / name for name in SHARED), folder):
        for path in _listed(place):
            if path.name in found:
                raise UserError(f"{path} has the name of {found[path.name]}, which is in every template; rename it")
            found[path.name] = path
    own = "Dockerfile" in found
    for path in [] if own else _listed(folder):
        if path.suffix != ".py" and path.name not in (*NEEDED, *USUAL):
            raise UserError(
                f"{path} would be in no image, since the usual Dockerfile takes *.py; add a Dockerfile of your own to "
                f"{folder} that copies it"
            )
    for name in USUAL:
        found.setdefault(name, AGRIGAIA / name)
    return dict(sorted(found.items()))


def _listed(folder: Path) -> list[Path]:
    """The files of a folder, but what Python, systems and editors leave there."""
    paths = []
    for path in sorted(folder.iterdir()):
        if path.name in MADE or path.name == "__pycache__" or (path.name.startswith(".") and path.name != ".env"):
            continue
        if not path.is_file():
            raise UserError(f"{path} is no file, and a template has no folders; put its files beside train.py")
        paths.append(path)
    return paths
