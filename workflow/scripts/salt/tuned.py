"""What `tune` wrote down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError
from containers.kit.files import read_json
from containers.salt.settings import VARIANTS
from containers.salt.variants import Choices, choices_of

CHOSEN = ("keep", "segmentation", "both")


@dataclass(frozen=True)
class Tuned:
    path: Path
    choices: Choices
    chosen: Mapping[str, Any]  # the same as JSON
    images: int
    scores: Mapping[str, float]  # mean AP of each variant on these images
    notes: tuple[str, ...]


def read(path: Path) -> Tuned:
    content = read_json(path)
    choices = choices_of(content, str(path))
    try:
        scores = {variant: float(content["scores"][variant]) for variant in VARIANTS}
        chosen = {name: content[name] for name in CHOSEN}
        return Tuned(path, choices, chosen, int(content["images"]), scores, tuple(map(str, content["notes"])))
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} does not hold what was tuned ({type(error).__name__}: {error}); tune again") from None
