"""Check a package by the platform's own rules, and by what Slipway knows of them beyond.

    python -m workflow.scripts.agrigaia.platform train-container-publish.zip

One folder at the top; in it the platform's files, and <provider>/<category>/<architecture>/{config,docker}.
containers/agrigaia/validation says which files must be where.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from containers.kit.errors import UserError, listed, reports_errors
from containers.kit.files import read_json
from workflow.scripts.agrigaia import soundness, zips
from workflow.scripts.agrigaia.architectures import AGRIGAIA, CUSTOM, PRESETS, SCHEMA
from workflow.scripts.agrigaia.form import name_fault
from workflow.scripts.agrigaia.zips import Contents

COMMON, TEMPLATE = (AGRIGAIA / "validation" / f"{name}.json" for name in ("common", "template"))
CONFIG, DOCKER = "config", "docker"
LEVELS = ("provider", "category", "architecture")
JSON = (".json", ".jsonschema")


@dataclass(frozen=True)
class Examined:
    path: str  # provider/category/architecture
    files: int


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=Path, help="the ZIP")
    args = parser.parse_args(argv)
    found = examine(args.package)
    print(f"{args.package}: {found.path}, {found.files} files; the platform takes it")
    return 0


def examine(path: Path, called: Path | None = None) -> Examined:
    """What the package is, or the first rule that it breaks; `called` is the name that it will have."""
    package = called or path
    contents = zips.read(path, JSON, package)
    top = _top(package, contents)
    place = _place(package, contents, top)
    values: dict[PurePosixPath, Any] = {}
    for schema, folder in ((COMMON, top), (TEMPLATE, place)):
        for node in read_json(schema):
            _match(package, contents, folder, node["contents"], values)
    _own(package, contents, place, values)
    return Examined(str(place.relative_to(top)), len(contents.files))


def _top(package: Path, contents: Contents) -> PurePosixPath:
    """The one folder that all is in."""
    names = {path.parts[0] for path in (*contents.folders, *contents.files)}
    loose = sorted(path.name for path in contents.files if len(path.parts) == 1)
    if len(names) != 1 or loose:
        said = listed(loose or sorted(names)) or "nothing"
        raise UserError(f"{package} must hold exactly one folder, and has {said} at its top; pack the folder itself")
    return PurePosixPath(names.pop())


def _place(package: Path, contents: Contents, top: PurePosixPath) -> PurePosixPath:
    """The architecture's folder: that of the only folder whose path has a part `config`."""
    folders = sorted(path for path in contents.folders if CONFIG in path.parts)
    if len(folders) != 1:
        said = listed([str(path) for path in folders]) or "none"
        raise UserError(f"{package} must have exactly one folder `{CONFIG}`, with no folder in it, and has {said}")
    place = folders[0].parent
    parts = place.parts[len(top.parts) :]
    if len(parts) != len(LEVELS):
        wanted = "/".join(f"<{level}>" for level in LEVELS)
        raise UserError(f"{package} has {folders[0]}; the platform looks for {top}/{wanted}/{CONFIG}")
    for level, name in zip(LEVELS, parts, strict=True):
        if wrong := name_fault(name):
            raise UserError(f"{package}: the folder of the {level} {wrong}")
    return place


def _match(
    package: Path,
    contents: Contents,
    folder: PurePosixPath,
    nodes: Sequence[Mapping[str, Any]],
    values: dict[PurePosixPath, Any],
) -> None:
    """Everything that a schema lists is there, and what is JSON can be read; it comes into `values`."""
    for node in nodes:
        path = folder / str(node["name"])
        if node["type"] == "directory":
            if path not in contents.folders:
                raise UserError(f"{package} has no folder {path}; the platform demands it")
            _match(package, contents, path, node["contents"], values)
            continue
        if path not in contents.files:
            raise UserError(f"{package} has no file {path}; the platform demands it")
        if path.suffix in JSON:
            values[path] = _read(f"{package}: {path}", contents.texts[path])


def _read(where: str, text: bytes) -> Any:
    try:
        return json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where} is not readable as JSON ({error}); correct it there") from None


def _own(package: Path, contents: Contents, place: PurePosixPath, values: Mapping[PurePosixPath, Any]) -> None:
    """What the platform would find out later, when somebody trains."""
    config = place / CONFIG
    where = {name: f"{package}: {config / name}" for name in (SCHEMA, CUSTOM, PRESETS)}
    soundness.form(values[config / SCHEMA], where[SCHEMA])
    soundness.custom(values[config / CUSTOM], where[CUSTOM])
    if not isinstance(values[config / PRESETS], dict):
        raise UserError(f"{where[PRESETS]} holds no object; write its keys and values between braces")
    nested = sorted(path for path in contents.folders if path.is_relative_to(place / DOCKER) and path != place / DOCKER)
    if nested:
        raise UserError(f"{package} has the folder {nested[0]}; what is in {DOCKER} is built side by side, without any")


if __name__ == "__main__":
    raise SystemExit(main())
