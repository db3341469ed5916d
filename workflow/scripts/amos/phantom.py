"""Demo data: synthetic abdomens, CT and MR, in the layout of the organisers' release; equal seeds, equal bytes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import nibabel as nib
import numpy as np

from containers.amos.organs import LABELS
from containers.kit.errors import UserError
from containers.kit.files import hash_of, sha256, write_json
from containers.kit.pool import each
from workflow.scripts.amos import anatomy, scanner, shapes, trunk
from workflow.scripts.amos.anatomy import Modality, abdomen
from workflow.scripts.slipway.demo import made

RELEASE = "amos22"
DRAWN_BY = (anatomy, scanner, shapes, trunk)
FEWEST, MOST = 6, 320
Part = Literal["training", "validation", "test"]
SUFFIX = {"training": "Tr", "validation": "Va", "test": "Ts"}
# The organisers' numbers have gaps: labelled CT up to 410, the CT of the test from there to 499, MR from 507.
IDS = {"CT": range(1, 411), "CT test": range(411, 500), "MR": range(507, 601)}
ORIENTATIONS = ("LPS", "LAS", "RAS")
TILT = 6.0  # degrees about x, of one CT in a part, whose voxels do not lie along the patient's axes
# What can be missing, in turns: no gall bladder, no prostate or uterus, one kidney with its adrenal gland.
MISSING = (frozenset({4}), frozenset({15}), frozenset({3, 12}))
TYPES: dict[Modality, tuple[str, ...]] = {
    "CT": ("int16", "int16", "int32", "int16", "float32", "uint16"),
    "MR": ("uint16", "int16", "float32"),
}


@dataclass(frozen=True)
class Demo:
    """The section amos.demo of the configuration."""

    cases: int = 16
    seed: int = 2022

    def __post_init__(self) -> None:
        if self.cases < FEWEST:
            raise ValueError(
                f"cases is {self.cases}; fewer than {FEWEST} cannot hold CT and MR for training and validation"
            )
        if self.cases > MOST:
            raise ValueError(f"cases is {self.cases}; the organisers' numbers are enough for no more than {MOST}")


@dataclass(frozen=True)
class Patient:
    id: int
    modality: Modality
    part: Part
    absent: frozenset[int]
    dtype: str
    orientation: str
    tilt: float
    pelvis: bool  # whether the image reaches down to it; else bladder and prostate are not in it

    @property
    def name(self) -> str:
        return f"amos_{self.id:04d}.nii.gz"


def patients(demo: Demo) -> list[Patient]:
    """Whom the demo has, sorted by id; every third case or so lacks an organ, as in the real data."""
    random = np.random.default_rng([demo.seed, 0])
    sixteenth = max(1, round(demo.cases / 16))
    counts: dict[tuple[Modality, Part], int] = {
        ("CT", "validation"): max(1, round(3 * demo.cases / 16)),
        ("CT", "test"): sixteenth,
        ("MR", "training"): max(1, round(3 * demo.cases / 16)),
        ("MR", "validation"): sixteenth,
        ("MR", "test"): demo.cases // 32,
    }
    counts = {("CT", "training"): demo.cases - sum(counts.values()), **counts}
    left = {key: random.permutation(list(ids)).tolist() for key, ids in IDS.items()}
    found: list[Patient] = []
    for (modality, part), count in counts.items():
        numbers = left["CT test" if (modality, part) == ("CT", "test") else modality]
        for index in range(count):
            incomplete = index % 3 == 1
            patient = Patient(
                id=numbers.pop(),
                modality=modality,
                part=part,
                absent=MISSING[index // 3 % len(MISSING)] if incomplete else frozenset(),
                dtype=TYPES[modality][index % len(TYPES[modality])],
                orientation=ORIENTATIONS[len(found) % len(ORIENTATIONS)],
                tilt=TILT if modality == "CT" and index == 2 else 0.0,
                pelvis=modality == "CT" or not incomplete,
            )
            found.append(patient)
    return sorted(found, key=lambda patient: patient.id)


def generate(demo: Demo, scratch: Path, workers: int = 0) -> Path:
    """The folder of this demo below `scratch`, made if it is not there whole; the release is its folder amos22."""
    code = [sha256(Path(str(file))) for file in (__file__, *(module.__file__ for module in DRAWN_BY))]
    folder = scratch / f"demo-{hash_of([asdict(demo), code, nib.__version__, np.__version__])}"
    return made(folder, asdict(demo), partial(_fill, demo=demo, workers=workers)) / RELEASE


def _fill(folder: Path, demo: Demo, workers: int) -> None:
    people = patients(demo)
    root = folder / RELEASE
    for name in ("imagesTr", "labelsTr", "imagesVa", "labelsVa", "imagesTs"):
        (root / name).mkdir(parents=True)
    for result in each(partial(_write_case, root, demo.seed), people, workers=workers, title="demo"):
        if isinstance(result, UserError):
            raise result
    write_json(root / "dataset.json", _description(people))


def _description(people: list[Patient]) -> dict[str, Any]:
    """dataset.json with the keys of the release, whatever they are worth here."""
    lists: dict[str, list[dict[str, str]]] = {part: [] for part in SUFFIX}
    for one in people:
        entry = {"image": f"./images{SUFFIX[one.part]}/{one.name}"}
        if one.part != "test":
            entry["label"] = f"./labels{SUFFIX[one.part]}/{one.name}"
        lists[one.part].append(entry)
    return {
        "name": "AMOS",
        "description": "synthetic abdomens in the layout of AMOS22",
        "author": "Slipway",
        "reference": "none",
        "licence": "none needed: synthetic, made on this machine",
        "release": "demo",
        "tensorImageSize": "3D",
        "modality": {"0": "CT"},
        "labels": {str(number): name for name, number in LABELS.items()},
        "numTraining": len(lists["training"]),
        "numValidation": len(lists["validation"]),
        "numTest": len(lists["test"]),
        **lists,
    }


def _write_case(root: Path, seed: int, one: Patient) -> None:
    random = np.random.default_rng([seed, 1, one.id])
    shape, affine = scanner.grid(random, one.modality, one.orientation, one.tilt, one.pelvis)
    image, labels = abdomen(random, scanner.frame(shape, affine), one.modality, one.absent)
    scanner.write(root / f"images{SUFFIX[one.part]}" / one.name, image, affine, one.dtype)
    if one.part != "test":
        scanner.write(root / f"labels{SUFFIX[one.part]}" / one.name, labels, affine, "uint8")
