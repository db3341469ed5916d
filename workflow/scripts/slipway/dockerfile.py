"""A challenge's Dockerfile, filled in for one submission folder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError

BEGINNING = re.compile(r"^ARG BASE=.*\nFROM \$\{BASE\} AS base$", re.MULTILINE)
ROOTFS = "base.tar.gz"


def filled(path: Path, base: Mapping[str, Any], values: Mapping[str, str]) -> str:
    """The Dockerfile with its base and its ARGs' defaults in place, so that a plain `docker build` needs no flag."""
    text = path.read_text(encoding="utf-8")
    if not BEGINNING.search(text):
        raise UserError(f"{path} must have the lines `ARG BASE=...` and `FROM ${{BASE}} AS base`; put them at its head")
    text = BEGINNING.sub(lambda _: _first_lines(base), text)
    for name, value in values.items():
        line = f'ARG {name}="{value}"'.replace("\\", r"\\")
        text, count = re.subn(rf"^ARG {name}=.*$", line, text, flags=re.MULTILINE)
        if not count:
            raise UserError(f'{path} has no line `ARG {name}=""`; add it above the labels that use it')
    return text


def needs_rootfs(base: Mapping[str, Any]) -> bool:
    """A base that was made here is in no registry, so the folder carries it."""
    return bool(base["kind"] == "debian")


def digest(base: Mapping[str, Any]) -> str:
    """What tells this base from another one of the same name."""
    if needs_rootfs(base):
        return f"sha256:{base['rootfs_sha256']}"
    name, _, pinned = str(base["reference"]).partition("@")
    return pinned or str(base["image_id"] or name)


def copies(text: str, folder: str) -> bool:
    """Whether the Dockerfile takes this folder of its context."""
    return re.search(rf"^COPY {re.escape(folder)}/ ", text, re.MULTILINE) is not None


def takes_wheels(text: str) -> bool:
    return re.search(r"^COPY (--\S+ )*wheels/", text, re.MULTILINE) is not None


def takes_base(text: str) -> bool:
    return re.search(r"^ARG BASE=", text, re.MULTILINE) is not None


def _first_lines(base: Mapping[str, Any]) -> str:
    if needs_rootfs(base):
        return f"FROM scratch AS base\nADD {ROOTFS} /\nENV LANG=C.UTF-8"
    return f"ARG BASE={base['reference']}\nFROM ${{BASE}} AS base"
