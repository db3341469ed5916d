"""Read STOIC's raw images through, or a sample of them, and write down what they are.

    python -m workflow.scripts.stoic.inspect --manifest scratch/stoic/raw/manifest.json --read 50 \\
        --output scratch/stoic/raw/fingerprint.json
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from containers.kit.errors import UserError, listed, reports_errors
from containers.kit.volumes import Volume
from containers.stoic.preprocess import demographics
from workflow.scripts.slipway import fingerprint_read
from workflow.scripts.slipway.fingerprint import Count, Found, Labels, Measure, measure, percentiles, triples
from workflow.scripts.slipway.fingerprint_read import Raw, complete, read_each, sample

COURSES = {"without COVID": (0, 0), "with COVID, not severe": (1, 0), "severe": (1, 1)}
RELEASED = {"without COVID": 795, "with COVID, not severe": 904, "severe": 301}
AIR, TISSUE = -500, 0  # HU; every chest CT has voxels below the one and above the other


@dataclass(frozen=True)
class Scan:
    name: str
    spacing: tuple[float, float, float]  # mm, z, y, x
    shape: tuple[int, int, int]  # z, y, x
    hu: tuple[float, float, float]  # low, middle and high
    range: tuple[float, float]
    age: int | None
    sex: str | None


def look(path: Path) -> Scan:
    """Everything that is measured of one image, which is read to its end."""
    volume = Volume.open(path)
    if min(volume.shape) < 2:
        shape = " x ".join(map(str, volume.shape))
        raise UserError(f"{path} is a single slice ({shape}); fetch it again")
    voxels = volume.read()
    low, high = float(voxels.min()), float(voxels.max())
    if low == high:
        raise UserError(f"{path} has the value {low:g} in all its voxels; fetch it again")
    person = demographics(volume.tags)
    return Scan(path.name, volume.spacing, volume.shape, percentiles(voxels), (low, high), person.age, person.sex)


def inspect(raw: Raw) -> Found:
    cases = raw.content["cases"]
    courses = [(case["covid"], case["severe"]) for case in cases]
    found = {name: courses.count(course) for name, course in COURSES.items()}
    counts = [Count("cases", len(cases), sum(RELEASED.values()))]
    complete(raw, [*counts, *(Count(f"cases {name}", found[name], RELEASED[name]) for name in COURSES)], singly=True)
    chosen = sample(cases, courses, [str(case["id"]) for case in cases], raw)
    scans = read_each(look, [raw.root / case["file"] for case in chosen], "images", raw, singly=True)
    ages = Counter(scan.age for scan in scans if scan.age is not None)
    sexes = Counter(scan.sex for scan in scans if scan.sex is not None)
    labels = [
        Labels("Course", len(cases), found, RELEASED),
        Labels("Age in years, among those read", len(scans), {str(age): ages[age] for age in sorted(ages)}),
        Labels("Sex, among those read", len(scans), {sex: sexes[sex] for sex in sorted(sexes)}),
    ]
    return Found("images", counts, len(cases), len(scans), labels, _measures(scans), list(_notes(scans)))


def _measures(scans: Sequence[Scan]) -> list[Measure]:
    measures: list[Measure] = []
    for axis, name in ((2, "x"), (1, "y"), (0, "z")):
        measures += measure(f"spacing, {name}", "mm", [scan.spacing[axis] for scan in scans])
    for axis, name in ((2, "width"), (1, "depth")):
        measures += measure(name, "voxels", [scan.shape[axis] for scan in scans])
    measures += measure("slices", "", [scan.shape[0] for scan in scans])
    measures += measure("height", "mm", [scan.shape[0] * scan.spacing[0] for scan in scans])
    return measures + triples("intensity", "HU", [scan.hu for scan in scans])


def _notes(scans: Sequence[Scan]) -> Iterator[str]:
    for kind, bare in {
        "PatientAge": [scan.name for scan in scans if scan.age is None],
        "PatientSex": [scan.name for scan in scans if scan.sex is None],
    }.items():
        if bare:
            yield f"{len(bare):,} of {len(scans):,} images have no {kind} that can be used: {listed(bare)}"
    odd = [
        f"{scan.name} ({scan.range[0]:g} to {scan.range[1]:g})"
        for scan in scans
        if not (scan.range[0] < AIR and scan.range[1] > TISSUE)
    ]
    if odd:
        yield f"{len(odd):,} of {len(scans):,} images have values that are no HU of a chest: {listed(odd)}"


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    return fingerprint_read.main("stoic", __doc__, inspect, argv)


if __name__ == "__main__":
    raise SystemExit(main())
