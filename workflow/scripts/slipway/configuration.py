"""The configuration: checked against the schema and filled with its defaults, or refused with one sentence."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from containers.kit.errors import UserError, did_you_mean
from workflow.scripts.slipway.jsonschemas import Draft202012Validator, ValidationError, best_match

Schema = dict[str, Any]


@cache
def load_schema(path: Path) -> Schema:
    """The schema in `path`, every `$ref` within it replaced by what it points to; it is not to be changed."""
    schema = read_yaml(path.read_text(encoding="utf-8"))
    resolved: Schema = _resolve(schema, schema.get("$defs", {}))
    resolved.pop("$defs", None)
    Draft202012Validator.check_schema(resolved)
    return resolved


def read_yaml(text: str) -> Any:
    """By libyaml where it is there, which takes a tenth of the time."""
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def checked(values: Mapping[str, Any], schema: Schema, name: str = "config") -> dict[str, Any]:
    """`values` with every default filled in, or a UserError about the first mistake.

    `name` stands before the dotted key in the sentence: the file, or the block that the values come from.
    """
    filled: dict[str, Any] = _fill(copy.deepcopy(dict(values)), schema)
    error = best_match(Draft202012Validator(schema).iter_errors(filled), key=_importance)
    if error is not None:
        raise UserError(f"{name}: {_sentence(error)}")
    return filled


def _importance(error: ValidationError) -> tuple[int, int]:
    """A misspelt key explains the other mistakes beside it, so it comes first; then what stands highest."""
    return (error.validator == "additionalProperties", -len(error.path))


def _resolve(node: Any, defs: Mapping[str, Any]) -> Any:
    if isinstance(node, list):
        return [_resolve(item, defs) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = defs[node["$ref"].removeprefix("#/$defs/")]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return {key: _resolve(value, defs) for key, value in node.items()}


def _fill(values: Any, schema: Schema) -> Any:
    if not isinstance(values, dict):
        return values
    for key, part in schema.get("properties", {}).items():
        if key not in values and "default" in part:
            values[key] = copy.deepcopy(part["default"])
        if key in values:
            values[key] = _fill(values[key], part)
    rest = schema.get("additionalProperties")
    if isinstance(rest, dict):
        for key in values.keys() - schema.get("properties", {}).keys():
            values[key] = _fill(values[key], rest)
    return values


def _sentence(error: ValidationError) -> str:
    """One sentence: which key, what is wrong, what would be right."""
    where = _dotted(error.absolute_path)
    value: Any = error.instance
    rule: Any = error.validator_value
    schema: Any = error.schema
    match error.validator:
        case "additionalProperties":
            known = schema.get("properties", {})
            unknown = next(key for key in value if key not in known)
            hint = did_you_mean(str(unknown), known, f"known keys: {', '.join(known)}")
            return f"{_dotted([*error.absolute_path, unknown])} is not a key; {hint}"
        case "required":
            missing = next(key for key in rule if key not in value)
            return f"{_dotted([*error.absolute_path, missing])} is missing; add it"
        case "type":
            return f"{where} must be {_kind(rule)}, not {_shown(value)}"
        case "enum":
            return f"{where} must be one of {', '.join(map(str, rule))}, not {_shown(value)}"
        case "minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum":
            words = {
                "minimum": "at least",
                "exclusiveMinimum": "more than",
                "maximum": "at most",
                "exclusiveMaximum": "less than",
            }
            return f"{where} must be {words[error.validator]} {rule}, not {_shown(value)}"
        case "minItems" | "maxItems":
            bound = "at least" if error.validator == "minItems" else "at most"
            return f"{where} must have {bound} {rule} entries, not {len(value)}"
        case "minLength" | "minProperties":
            return f"{where} must not be empty"
        case "uniqueItems":
            return f"{where} must not name the same entry twice"
        case "pattern":
            return f"{where} must match {rule}, not {_shown(value)}"
        case _:
            return f"{where}: {error.message}"


def _dotted(path: Any) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".") or "it"


def _kind(rule: str | list[str]) -> str:
    words = {
        "object": "a mapping of keys",
        "array": "a list",
        "string": "a text",
        "integer": "a whole number",
        "number": "a number",
        "boolean": "true or false",
        "null": "empty",
    }
    return " or ".join(words[kind] for kind in ([rule] if isinstance(rule, str) else rule))


def _shown(value: Any) -> str:
    """A value as a person wrote it; what is long is cut."""
    if value is None:
        return "empty"
    text = f"'{value}'" if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
