"""What the configuration chooses, checked before anything runs: architecture, values of its form, names of its package.

Rules ask this while Snakemake reads them, so nothing large is imported here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError
from containers.kit.settings import build
from workflow.scripts.agrigaia import architectures
from workflow.scripts.agrigaia.architectures import Architecture
from workflow.scripts.slipway import configuration

BLOCK = "challenges.agrigaia"
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9 _.-]{0,58}[A-Za-z0-9_-])?")
RESERVED = ("config", "docker")  # folders of the package's own
TINY = 1e-9  # 0.1 + 0.2 is more than 0.3


@dataclass(frozen=True)
class Package:
    """The three folders by which the platform knows an architecture; empty ones are the architecture's own."""

    provider: str = "Slipway"
    category: str = ""
    architecture: str = ""

    @property
    def path(self) -> str:
        return f"{self.provider}/{self.category}/{self.architecture}"

    @property
    def tag(self) -> str:
        """As the platform names the image, in letters that engines take."""
        return f"slipway/{_joined(f'{self.provider}-{self.architecture}'.lower())}"


@dataclass(frozen=True)
class Chosen:
    architecture: Architecture
    package: Package
    train: Mapping[str, Any]  # every key of the form, in its order

    @property
    def tag(self) -> str:
        return self.package.tag

    @property
    def files(self) -> list[Path]:
        """What a template is made of."""
        names = self.architecture.folder / architectures.NAMES
        return [*self.architecture.files.values(), *([names] if names.is_file() else [])]


def chosen(architecture: str, train: Mapping[str, Any], package: Mapping[str, Any]) -> Chosen:
    found = architectures.read(architecture)
    return Chosen(found, packaged(package, found), checked(train, found.schema))


def checked(train: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The form's values with its defaults filled in, as the platform does."""
    form = {**schema, "additionalProperties": False}
    for key in ("train", "agrigaia", "challenges"):  # so that sentences name the whole key
        form = {"type": "object", "properties": {key: form}}
    values = configuration.checked({"challenges": {"agrigaia": {"train": dict(train)}}}, form)
    filled: dict[str, Any] = values["challenges"]["agrigaia"]["train"]
    for key, value in filled.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise UserError(f"{BLOCK}.train.{key} must be a number, not {value}")
    learnt, judged = filled["train-split"], filled["test-split"]
    if learnt <= 0:
        raise UserError(f"{BLOCK}.train.train-split must be more than 0, or there is nothing to learn from")
    if learnt + judged > 1 + TINY:
        raise UserError(
            f"{BLOCK}.train.train-split and {BLOCK}.train.test-split are {learnt + judged:g} together; stay within 1"
        )
    return {key: filled[key] for key in schema["properties"]}


def packaged(values: Mapping[str, Any], architecture: Architecture) -> Package:
    """The package's names, the architecture's own where the configuration says none."""
    asked = build(Package, values, f"{BLOCK}.package")
    names = {
        "provider": asked.provider,
        "category": asked.category or architecture.category,
        "architecture": asked.architecture or architecture.architecture,
    }
    for key, name in names.items():
        if not name:
            said = f", or add {architectures.NAMES} to {architecture.folder}" if key != "provider" else ""
            raise UserError(f"{BLOCK}.package.{key} is missing; set it{said}")
        wrong = name_fault(name)
        if wrong:
            raise UserError(f"{BLOCK}.package.{key} {wrong}")
    return Package(**names)


def name_fault(name: Any) -> str:
    """What is wrong with a folder's name in the package, and what would be right; empty where it is good."""
    if not isinstance(name, str):
        return f"must be a text, not {name}"
    if name.lower() in RESERVED:
        return f"is '{name}', which is a folder of every package; choose another name"
    if not NAME.fullmatch(name):
        shown = name if len(name) <= 60 else f"{name[:57]}..."
        return f"is '{shown}'; write up to 60 letters, digits, spaces, _, - and ., with a letter or digit first"
    return ""


def _joined(text: str) -> str:
    """What stands between letters and digits, as names of images have it."""
    text = re.sub(r"[^a-z0-9]+", lambda found: found[0] if found[0] in (".", "_") else "-", text)
    return text.strip("._-")
