"""A stage's settings: JSON on the command line, a frozen dataclass in the code."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from containers.kit.errors import UserError, did_you_mean

T = TypeVar("T")


def build(kind: type[T], values: Mapping[str, Any], where: str) -> T:
    """Make the dataclass `kind` of `values`; `where` is the dotted key that errors name.

    Nested dataclasses are built too, and lists become tuples, so that settings stay hashable.
    """
    hints = typing.get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for key in values:
        if key not in fields:
            hint = did_you_mean(key, fields, f"known keys: {', '.join(fields)}")
            raise UserError(f"{where}.{key} is not a setting; {hint}")
    ready: dict[str, Any] = {}
    for name, field in fields.items():
        if name in values:
            ready[name] = _value(hints[name], values[name], f"{where}.{name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise UserError(f"{where}.{name} is missing; set it in the configuration")
    try:
        return kind(**ready)
    except ValueError as error:
        raise UserError(f"{where}.{error}") from None


def parse(kind: type[T], text: str, where: str) -> T:
    """Make `kind` of a JSON object, or of the file that `@path` names."""
    return build(kind, section(text, where), where)


def section(text: str, where: str) -> dict[str, Any]:
    """A JSON object, or that of the file that `@path` names."""
    if text.startswith("@"):
        path = Path(text[1:])
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise UserError(f"{path} cannot be read ({error.strerror}); it should hold the settings as JSON") from None
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"{where} is not JSON: {error}") from None
    if not isinstance(values, dict):
        raise UserError(f"{where} must be a JSON object, not {type(values).__name__}")
    return values


def _value(hint: Any, value: Any, where: str) -> Any:
    kind = _dataclass(hint)
    if kind is not None and not (value is None and kind is not hint):
        if not isinstance(value, Mapping):
            raise UserError(f"{where} must be a mapping, not {value!r}")
        return build(kind, value, where)
    if typing.get_origin(hint) is dict and isinstance(value, Mapping):
        _, inner = typing.get_args(hint)
        if inner is not Any:
            return {key: _value(inner, one, f"{where}.{key}") for key, one in value.items()}
    return tuple(value) if isinstance(value, list) else value


def _dataclass(hint: Any) -> Any:
    """The dataclass that a hint names, alone or beside None."""
    for one in (hint, *(typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else ())):
        if dataclasses.is_dataclass(one) and isinstance(one, type):
            return one
    return None
