"""The photos that networks are compared on: of ImageNet's classes, and never ObjectNet's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from containers.kit.errors import UserError
from containers.kit.files import read_json
from containers.objectnet import transforms
from containers.objectnet.inference import logits
from containers.objectnet.prefetch import Floats
from containers.objectnet.settings import Transform
from workflow.scripts.objectnet.licence import CLAUSES, refuse

KIND = "imagenet"
FLAG = "--photos"


@dataclass(frozen=True)
class Photos:
    names: tuple[str, ...]  # relative to their folder
    paths: tuple[Path, ...]
    classes: tuple[int, ...]  # of ImageNet's 1000
    fingerprint: str

    def pictures(self, transform: Transform | None, most: int) -> Floats:
        """The first few of them as a network sees them."""
        taken: list[Floats] = []
        prepare = transforms.Pipeline(transform) if transform else transforms.own()

        def keep(batch: Floats) -> Floats:
            taken.append(batch)
            return np.zeros((len(batch), 1), np.float32)

        for answers in logits(self.paths[:most], prepare, keep, batch_size=most, workers=1, border=0, title="photos"):
            readable(answers.unreadable)
        return np.concatenate(taken)


def read(path: Path) -> Photos:
    """What the rule `photos` found; ObjectNet's own images are refused."""
    content = read_json(path)
    if not isinstance(content, Mapping) or content.get("kind") != KIND:
        kind = content.get("kind") if isinstance(content, Mapping) else None
        raise UserError(
            f"{FLAG} {path} is no list of ImageNet photos (its kind is {kind or 'unknown'}); give what the rule photos "
            f"wrote, for by clause 1 of its licence {CLAUSES[1]}, and choosing one is tuning"
        )
    rows: list[Mapping[str, Any]] = content["photos"]
    if not rows:
        raise UserError(f"{FLAG} {path} lists no photo; networks are compared on at least one")
    found = Photos(
        names=tuple(row["file"] for row in rows),
        paths=tuple(Path(content["root"], row["file"]) for row in rows),
        classes=tuple(row["class"] for row in rows),
        fingerprint=content["fingerprint"],
    )
    refuse(found.paths, FLAG)
    return found


def readable(unreadable: list[tuple[Path, str]]) -> None:
    """A photo that cannot be read is not left out in silence: the networks would be judged on fewer."""
    if unreadable:
        path, why = unreadable[0]
        raise UserError(f"{FLAG} names {path}, which gives no answer ({why}); take it out of the folder of photos")
