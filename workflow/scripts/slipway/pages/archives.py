"""The files to hand in, and the words that prove on the other side that they arrived whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workflow.scripts.slipway.pages.html import Html, block, code, facts, size, tag

Json = Mapping[str, Any]


def section(manifests: Sequence[Json]) -> Html:
    names = [manifest["archive"] for manifest in manifests]
    return tag(
        "section",
        tag("h2", "Archives"),
        *[_archive(manifest) for manifest in manifests],
        tag("h4", "To check a copy, in its folder"),
        block("\n".join(f"sha256sum --check {name}.sha256" for name in names)),
        id="archives",
    )


def _archive(manifest: Json) -> Html:
    layers = manifest["layers"]
    return tag(
        "article",
        tag("h3", code(manifest["archive"]), " ", tag("small", size(manifest["size"]))),
        facts(
            ("SHA-256", code(manifest["sha256"])),
            ("Size", f"{_grouped(manifest['size'])} bytes, {_grouped(manifest['tar']['size'])} unpacked"),
            ("Loads as", code(", ".join(manifest["tags"]))),
            ("Image id", code(manifest["image_id"])),
            ("Layers", f"{len(layers)}, each verified against the image that passed"),
        ),
    )


def _grouped(count: int) -> str:
    return f"{count:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
