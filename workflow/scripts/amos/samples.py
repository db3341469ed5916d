"""The cases that a training may use, from the manifest that fetch wrote."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from containers.kit.errors import UserError
from containers.kit.files import read_json


@dataclass(frozen=True, order=True)
class Sample:
    id: str
    modality: str
    image: Path
    label: Path


@dataclass(frozen=True)
class Samples:
    """`used` are to learn from, sorted by their names; `held` counts those by modality that no training sees."""

    fingerprint: str
    used: tuple[Sample, ...]
    held: dict[str, int]

    @property
    def named(self) -> dict[str, Sample]:
        return {sample.id: sample for sample in self.used}


def read(manifest: Path, task: int, validation: Literal["holdout", "train"]) -> Samples:
    """The training cases, and the organisers' validation cases where those are to be trained on."""
    content = read_json(manifest)
    if content["task"] != task:
        raise UserError(f"{manifest} lists the cases of task {content['task']}, not of task {task}; run fetch again")
    root = Path(content["root"])
    learning = {"training", "validation"} if validation == "train" else {"training"}
    used = tuple(sorted(_sample(manifest, root, case) for case in content["cases"] if case["part"] in learning))
    if not used:
        raise UserError(f"{manifest} has no training cases; amos.source must name data with imagesTr and labelsTr")
    held = [case["modality"] for case in content["cases"] if case["part"] == "validation" and case["label"]]
    return Samples(content["fingerprint"], used, dict(Counter(held if validation == "holdout" else [])))


def _sample(manifest: Path, root: Path, case: dict[str, Any]) -> Sample:
    if case["label"] is None:
        raise UserError(f"{manifest}: {case['id']} is a {case['part']} case without a label; fetch its label too")
    return Sample(case["id"], case["modality"], root / case["image"], root / case["label"])
