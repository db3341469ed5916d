"""Print the configuration's manual from its schema.

Example: python -m workflow.scripts.docs --schema workflow/schemas/config.schema.yaml --output config/README.md
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from containers.kit.errors import reports_errors
from containers.kit.files import write_text
from workflow.scripts.slipway.configuration import Schema, load_schema

HEAD = """# Configuration

Made from `workflow/schemas/config.schema.yaml` by `./slipway docs`; edit that file, not this one.

`config.yaml` is what plain `snakemake` runs: every challenge on demo data, in minutes on two CPU cores.
`full.yaml` lies over it for real data and full training: `snakemake export_stoic --configfile config/full.yaml`.
A file of your own does the same: name only the keys that differ. (Nested keys cannot be set by `--config`: use a file.)
`sources.yaml` is the table of what `remote` means: addresses, sizes, checksums, licences, limits of archives.
`workflow/schemas/sources.schema.yaml` explains its keys; what you change stands under `sources` in your own file.
"""


def render(schema: Schema) -> str:
    return HEAD + "".join(_sections(schema, ""))


def _sections(schema: Schema, path: str) -> Iterator[str]:
    """A table of the plain keys, then a section for every key that is a mapping, or holds some by a user's names."""
    plain = {key: part for key, part in schema["properties"].items() if "properties" not in part}
    nested = {key: part for key, part in schema["properties"].items() if "properties" in part}
    for key, part in plain.items():
        each = part.get("additionalProperties")
        if isinstance(each, dict) and "properties" in each:
            nested[f"{key}.<name>"] = {"description": f"Each of the {key}.", **each}
    if path:
        yield f"\n## `{path}`\n\n{_text(schema)}\n"
    if plain:
        yield "\n| key | value | default | meaning |\n| --- | --- | --- | --- |\n"
        yield from (_row(key, part) for key, part in plain.items())
    for key, part in nested.items():
        yield from _sections(part, f"{path}.{key}" if path else key)


def _row(key: str, part: Schema) -> str:
    default = f"`{json.dumps(part['default'], ensure_ascii=False)}`" if "default" in part else "required"
    return f"| `{key}` | {_values(part)} | {default} | {_text(part)} |\n"


def _text(part: Schema) -> str:
    return " ".join(str(part["description"]).split()).replace("|", "\\|")


def _values(part: dict[str, Any]) -> str:
    if "enum" in part:
        return ", ".join(f"`{value}`" for value in part["enum"])
    if part.get("type") == "array":
        length = part.get("minItems") if part.get("minItems") == part.get("maxItems") else None
        return f"list of {length} of {_values(part['items'])}" if length else f"list of {_values(part['items'])}"
    words = {
        "object": "mapping",
        "string": "text",
        "integer": "whole number",
        "number": "number",
        "boolean": "true or false",
    }
    bounds = [
        f"{word} {part[rule]}"
        for rule, word in (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"), ("exclusiveMaximum", "<"))
        if rule in part
    ]
    return " ".join([words[part["type"]], ", ".join(bounds)]).strip()


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schema", type=Path, required=True, help="schema of the configuration")
    parser.add_argument("--output", type=Path, required=True, help="Markdown file to write")
    arguments = parser.parse_args(argv)
    write_text(arguments.output, render(load_schema(arguments.schema)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
