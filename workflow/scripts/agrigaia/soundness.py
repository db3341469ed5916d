"""What the platform demands of the files in an architecture's config/: the form, and where model and score are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from containers.agrigaia.suffixes import SUFFIXES
from containers.kit.errors import UserError, listed
from workflow.scripts.slipway.jsonschemas import Draft202012Validator, SchemaError, best_match

KEYS = (
    "epochs",
    "batch-size",
    "img-size",
    "optimizer",
    "learning-rate",
    "lr-scheduler",
    "train-split",
    "test-split",
)  # that every form requires
CUSTOM = ("model_filepath", "score_name", "score_regexp")
OUTPUT = PurePosixPath("/train")


def form(content: Any, where: object) -> dict[str, Any]:
    """config.jsonschema, sound and with defaults that satisfy it."""
    if not isinstance(content, dict) or content.get("type") != "object":
        raise UserError(f'{where} is no form; it must be a JSON schema of "type": "object"')
    try:
        Draft202012Validator.check_schema(content)
    except SchemaError as error:
        at = ".".join(map(str, error.absolute_path)) or "it"
        raise UserError(f"{where} is no valid JSON schema: {at}: {_short(error.message)}; correct it there") from None
    if _refers(content):
        raise UserError(f"{where} has a $ref, which the platform's form does not follow; write out what it points to")
    properties, required = content.get("properties", {}), content.get("required", [])
    missing = [key for key in KEYS if key not in properties or key not in required]
    if missing:
        raise UserError(f"{where} lacks {listed(missing)}; each must be in its `required` and in its `properties`")
    loose = [key for key in properties if not isinstance(properties[key], dict) or "default" not in properties[key]]
    if loose:
        raise UserError(f"{where} has no default for {listed(loose)}; the platform fills its form with them")
    fault = best_match(Draft202012Validator(content).iter_errors(defaults(content)))
    if fault is not None:
        at = ".".join(map(str, fault.absolute_path)) or "it"
        raise UserError(f"{where}: the default of {at} does not satisfy it ({_short(fault.message)}); correct one")
    return content


def defaults(schema: Mapping[str, Any]) -> dict[str, Any]:
    """As the platform fills its form."""
    return {key: value["default"] for key, value in schema["properties"].items()}


def custom(content: Any, where: object) -> dict[str, str]:
    """custom.json: exactly its keys, with an expression that compiles and a model that the platform will look for."""
    if not isinstance(content, dict) or sorted(content) != sorted(CUSTOM):
        raise UserError(f"{where} must have exactly the keys {', '.join(CUSTOM)}; add or remove what differs")
    empty = [key for key in CUSTOM if not isinstance(content[key], str) or not content[key]]
    if empty:
        raise UserError(f"{where}: {empty[0]} must be a text that is not empty; correct it there")
    try:
        re.compile(content["score_regexp"])
    except re.error as error:
        raise UserError(f"{where}: score_regexp is no regular expression ({error}); correct it there") from None
    path = PurePosixPath(content["model_filepath"])
    if not path.is_relative_to(OUTPUT) or ".." in path.parts or path.suffix not in SUFFIXES:
        raise UserError(
            f"{where}: model_filepath is {path}; name a file below {OUTPUT} that ends with one of {', '.join(SUFFIXES)}"
        )
    return {key: content[key] for key in CUSTOM}


def _refers(node: Any) -> bool:
    if isinstance(node, dict):
        return "$ref" in node or any(map(_refers, node.values()))
    return isinstance(node, list) and any(map(_refers, node))


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:197]}..."
