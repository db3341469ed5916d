"""Demo data: synthetic chest CTs in the organisers' layout, with their balance of labels; equal seeds, equal bytes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from containers.kit.errors import UserError
from containers.kit.files import hash_of, sha256, write_text
from containers.kit.pool import each
from containers.stoic.data import COLUMNS, REFERENCE, Sex, image_file
from workflow.scripts.slipway.demo import made
from workflow.scripts.stoic import anatomy
from workflow.scripts.stoic.anatomy import Disease, Finding, chest

POSITIVE, SEVERE = 0.6025, 0.2498  # the organisers' share of positives, and of severe courses among those
IDS = (6, 10730)  # theirs lie in this range, with gaps
AGES = {35: 245, 45: 230, 55: 346, 65: 385, 75: 355, 85: 439}  # how many of their 2000 patients have each
FIELD = (108.0, 124.0, 124.0)  # mm that an image shows in z, y, x
FINDINGS: tuple[Finding, ...] = ("none", "nodule", "dependent", "emphysema")
MILD_EXTENT, SEVERE_EXTENT = (0.03, 0.10), (0.25, 0.60)  # share of the lungs with ground glass
FEWEST = 8


@dataclass(frozen=True)
class Demo:
    """The section stoic.demo of the configuration."""

    cases: int = 60
    seed: int = 2021
    size: tuple[int, int, int] = (72, 80, 80)  # voxels in z, y, x of a typical image

    def __post_init__(self) -> None:
        if self.cases < FEWEST:
            raise ValueError(f"cases is {self.cases}; fewer than {FEWEST} cannot hold the organisers' classes")
        if len(self.size) != 3 or min(self.size) < 16:
            raise ValueError(f"size is {list(self.size)}; a chest needs three sides of at least 16 voxels")


@dataclass(frozen=True)
class Patient:
    id: int
    covid: int
    severe: int
    age: int
    sex: Sex
    extent: float
    finding: Finding


def patients(demo: Demo) -> list[Patient]:
    """Whom the demo has, sorted by id; severe courses are somewhat older and more often men, as in the real data."""
    random = np.random.default_rng([demo.seed, 0])
    ids = sorted(random.choice(np.arange(*IDS), demo.cases, replace=False).tolist())
    positives = round(POSITIVE * demo.cases)
    severe = max(1, round(SEVERE * positives))
    places = random.permutation(demo.cases)
    courses = {int(place): int(rank < positives) + int(rank < severe) for rank, place in enumerate(places)}
    return [_patient(random, case, courses[index]) for index, case in enumerate(ids)]


def generate(demo: Demo, scratch: Path, workers: int = 0) -> Path:
    """The folder of this demo below `scratch`, made if it is not there whole."""
    code = [sha256(Path(file)) for file in (__file__, anatomy.__file__)]
    folder = scratch / f"demo-{hash_of([asdict(demo), code, sitk.Version.VersionString()])}"
    return made(folder, asdict(demo), partial(_fill, demo=demo, workers=workers))


def _patient(random: np.random.Generator, case: int, course: int) -> Patient:
    severe = course == 2
    ages = np.array(list(AGES))
    weights = np.array(list(AGES.values())) * np.exp(0.02 * (ages - 62) * severe)
    extent = random.uniform(*(SEVERE_EXTENT if severe else MILD_EXTENT)) if course else 0.0
    odds = [0.7, 0.1, 0.1, 0.1] if course else [0.4, 0.2, 0.2, 0.2]
    sex: Sex = "M" if random.random() < (0.68 if severe else 0.56) else "F"
    age = int(random.choice(ages, p=weights / weights.sum()))
    return Patient(case, int(course > 0), int(severe), age, sex, extent, FINDINGS[random.choice(4, p=odds)])


def _fill(folder: Path, demo: Demo, workers: int) -> None:
    people = patients(demo)
    (folder / image_file(0)).parent.mkdir(parents=True)
    for result in each(partial(_write_case, folder, demo), people, workers=workers, title="demo"):
        if isinstance(result, UserError):
            raise result
    lines = [",".join(COLUMNS), *(f"{one.id},{one.covid},{one.severe}" for one in people)]
    write_text(folder / REFERENCE, "\n".join(lines) + "\n")


def _write_case(folder: Path, demo: Demo, patient: Patient) -> None:
    random = np.random.default_rng([demo.seed, 1, patient.id])
    # Slices are thicker or thinner from scanner to scanner; the image shows the same stretch of the patient.
    thick = random.uniform(0.8, 1.25)
    shape = (round(demo.size[0] / thick), demo.size[1], demo.size[2])
    zoom = random.uniform(0.94, 1.1)
    spacing = (FIELD[0] / shape[0], zoom * FIELD[1] / shape[1], zoom * FIELD[2] / shape[2])
    voxels = chest(random, shape, spacing, Disease(patient.extent, patient.finding))
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing([round(step, 4) for step in reversed(spacing)])
    image.SetOrigin([round(-step * length / 2, 4) for step, length in zip(spacing[::-1], shape[::-1], strict=True)])
    image.SetMetaData("PatientAge", f"{patient.age:03d}Y")
    image.SetMetaData("PatientSex", patient.sex)
    path = folder / image_file(patient.id)
    try:
        sitk.WriteImage(image, str(path), True)
    except RuntimeError:  # SimpleITK's own words say no more than this
        raise UserError(f"{path} cannot be written; make room there or choose another scratch") from None
