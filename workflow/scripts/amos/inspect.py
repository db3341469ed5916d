"""Read AMOS22's raw images and label maps through, or a sample of them, and write down what they are.

    python -m workflow.scripts.amos.inspect --manifest scratch/amos/raw/manifest.json --read 50 \\
        --output scratch/amos/raw/fingerprint.json
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from containers.amos.organs import LAST, ORGANS
from containers.amos.volume import Head, Volume, head, read
from containers.kit.errors import UserError, reports_errors
from workflow.scripts.amos.grids import apart
from workflow.scripts.slipway import fingerprint_read
from workflow.scripts.slipway.fingerprint import Count, Found, Labels, Measure, measure, percentiles, triples
from workflow.scripts.slipway.fingerprint_read import Raw, complete, read_each, sample

RELEASED = {("training", "CT"): 200, ("training", "MR"): 40, ("validation", "CT"): 100, ("validation", "MR"): 20}
TESTED = 120  # CT and MR together


@dataclass(frozen=True)
class Work:
    modality: str
    image: Path
    label: Path | None


@dataclass(frozen=True)
class Scan:
    modality: str
    spacing: tuple[float, float, float]  # mm, z, y, x: x to the right, y to the front, z upwards
    shape: tuple[int, int, int]
    intensity: tuple[float, float, float]  # low, middle and high
    organs: frozenset[int] | None  # None where there is no label map


def look(work: Work) -> Scan:
    """Everything that is measured of one case, whose files are read to their end."""
    found = _three(head(work.image))
    if work.label:
        _same_grid(found, _three(head(work.label)))
    values = percentiles(_sound(read(work.image)))
    return Scan(work.modality, found.spacing, found.shape, values, _organs(work.label) if work.label else None)


def _three(found: Head) -> Head:
    axes = len(found.header.get_data_shape())
    if axes != 3:
        raise UserError(f"{found.path} has {axes} axes and a scan has three; fetch it again")
    return found


def _same_grid(image: Head, label: Head) -> None:
    """The same voxels at the same places, within half a voxel."""
    if image.file_shape != label.file_shape:
        one, other = (" x ".join(map(str, found.file_shape)) for found in (label, image))
        raise UserError(f"{label.path} has {one} voxels and its image {other}; fetch both again")
    far = apart(image.file_shape, image.affine, label.affine)
    if not far <= min(image.spacing) / 2:
        raise UserError(f"{label.path} lies up to {far:.1f} mm beside its image; fetch both again")


def _sound(volume: Volume) -> Any:
    path, voxels = volume.head.path, volume.voxels
    if volume.replaced:
        raise UserError(f"{path} has voxels that are NaN or infinite ({volume.replaced:,}); fetch it again")
    if voxels.min() == voxels.max():
        raise UserError(f"{path} has the value {voxels.min():g} in all its voxels; fetch it again")
    return voxels


def _organs(path: Path) -> frozenset[int]:
    """Those that are in a label map."""
    volume = read(path)
    there = np.zeros(LAST + 1, np.bool_)
    for plane in volume.voxels:
        wrong = (plane < 0) | (plane > LAST) | (plane != np.floor(plane))
        if volume.replaced or wrong.any():
            first = "NaN" if volume.replaced else f"{plane[wrong][0]:g}"
            raise UserError(f"{path} has the label {first} and not only whole numbers from 0 to {LAST}; fetch it again")
        there[plane.astype(np.intp)] = True
    return frozenset(int(number) for number in np.flatnonzero(there) if number)


def inspect(raw: Raw) -> Found:
    cases = raw.content["cases"]
    counts = _counts(cases, raw.content["task"])
    complete(raw, counts, singly=False)
    kinds = [(case["part"], case["modality"]) for case in cases]
    chosen = sample(cases, kinds, [case["id"] for case in cases], raw)
    work = [
        Work(case["modality"], raw.root / case["image"], raw.root / case["label"] if case["label"] else None)
        for case in chosen
    ]
    scans = read_each(look, work, "cases", raw, singly=False)
    mapped = [scan.organs for scan in scans if scan.organs is not None]
    organs = {name: sum(number in one for one in mapped) for number, name in ORGANS.items()}
    labels = [Labels("Cases with each organ, among those read with a label map", len(mapped), organs)]
    absent = [name for name, count in organs.items() if mapped and not count]
    notes = [f"no case that was read has {', '.join(absent)}"] if absent else []
    return Found("cases", counts, len(cases), len(scans), labels, _measures(scans), notes)


def _counts(cases: Sequence[dict[str, Any]], task: int) -> list[Count]:
    found = Counter((case["part"], case["modality"]) for case in cases)
    counts = [
        Count(f"{kind} cases for {part}", found[part, kind], released)
        for (part, kind), released in RELEASED.items()
        if task == 2 or kind == "CT"
    ]
    tested = found["test", "CT"] + found["test", "MR"]
    # Nothing is learnt from these, and how many of the 120 are CT nobody says.
    return [*counts, Count("cases for test", tested, TESTED if task == 2 else None, binding=False)]


def _measures(scans: Sequence[Scan]) -> list[Measure]:
    measures: list[Measure] = []
    for kind in ("CT", "MR"):
        of_kind = [scan for scan in scans if scan.modality == kind]
        for axis, name in ((2, "x"), (1, "y"), (0, "z")):
            measures += measure(f"spacing, {name}", "mm", [scan.spacing[axis] for scan in of_kind], kind)
        for axis, name in ((2, "x"), (1, "y"), (0, "z")):
            measures += measure(f"size, {name}", "voxels", [scan.shape[axis] for scan in of_kind], kind)
        unit = "HU" if kind == "CT" else ""
        measures += triples("intensity", unit, [scan.intensity for scan in of_kind], kind)
    return measures


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    return fingerprint_read.main("amos", __doc__, inspect, argv)


if __name__ == "__main__":
    raise SystemExit(main())
