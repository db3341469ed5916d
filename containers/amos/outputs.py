"""What AMOS' container must have written: for every scan one label map of its name, in its very geometry."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from containers.amos.headers import Array, Head, head
from containers.amos.nifti import planes, repaired
from containers.amos.organs import LAST
from containers.amos.places import scans
from containers.kit.errors import UserError
from containers.kit.outputs import Finding, missing_and_extra

TOLERANCE = 1e-3  # mm, and of the directions' cosines


def check(output: Path, source: Path) -> list[Finding]:
    """Compare with the scans one file at a time, and of that one plane at a time."""
    try:
        wanted = [path.name for path in scans(source)[0]]
    except UserError as error:
        return [Finding("input", "FAIL", "a folder of scans", "unreadable", str(error))]
    findings = missing_and_extra(output, set(wanted))
    found = [name for name in wanted if (output / name).is_file()]
    each = [finding for name in found for finding in _label_map(output / name, source / name)]
    if found and not any(finding.status == "FAIL" for finding in each):
        each.append(Finding("label maps", "PASS", f"{len(found)} like their scans", f"{len(found)}"))
    return findings + each


def _label_map(path: Path, source: Path) -> list[Finding]:
    """What is wrong with one label map; nothing where all is well."""
    name = path.name
    try:
        scan = head(source)
    except UserError as error:
        note = f"{name} has a label map, but its scan cannot be read: {error}"
        return [Finding("unreadable input", "FAIL", "a scan", name, note)]
    try:
        labels = head(path)
        findings = [*_kind(labels, name), *_geometry(labels, scan, name)]
        if not findings:
            findings += _values(labels, name)
    except UserError as error:
        said = str(error).removeprefix(f"{path} ")
        note = f"{name} {said}"
        return [Finding("unreadable output", "FAIL", "a NIfTI label map", f"{name}: {said}"[:120], note)]
    return findings


def _kind(labels: Head, name: str) -> list[Finding]:
    findings = []
    dimensions = len(labels.header.get_data_shape())
    if dimensions != 3:
        note = (
            f"{name} has {dimensions} dimensions; a label map has three, also where the scan has a fourth of length 1"
        )
        findings.append(Finding("wrong output", "FAIL", "3 dimensions", f"{name}: {dimensions}", note))
    if labels.stored.kind not in "iu":
        note = f"{name} holds {labels.stored}; write whole numbers, as uint8"
        findings.append(Finding("wrong output", "FAIL", "integers", f"{name}: {labels.stored}", note))
    if labels.scaling != (1, 0):
        slope, inter = labels.scaling
        note = f"{name} scales its labels by {slope:g} and adds {inter:g}; write them as they are"
        findings.append(Finding("wrong output", "FAIL", "no scaling", f"{name}: {slope:g}, {inter:g}", note))
    return findings


def _geometry(labels: Head, scan: Head, name: str) -> list[Finding]:
    """By matrix, quaternion (where both files have one) and steps: programs differ in which of them they take."""
    if labels.file_shape != scan.file_shape:
        sizes = [" x ".join(map(str, one.file_shape)) for one in (scan, labels)]
        note = f"{name} is {sizes[1]} and its scan {sizes[0]}; resample the labels to the scan's own grid"
        return [Finding("wrong shape", "FAIL", sizes[0], f"{name}: {sizes[1]}", note)]
    pairs = [(_parts(labels.affine, _steps(labels)), _parts(scan.affine, _steps(scan)))]
    mine, theirs = _quaternion(labels), _quaternion(scan)
    if mine is not None and theirs is not None:
        pairs.append((_parts(mine, _steps(labels)), _parts(theirs, _steps(scan))))
    wrong = {
        part: (expected, got)
        for ours, wanted in pairs
        for part, got, expected in ((part, ours[part], wanted[part]) for part in ours)
        if not np.allclose(got, expected, rtol=0, atol=TOLERANCE)
    }
    findings = []
    for part, (expected, got) in wrong.items():
        shown = [", ".join(f"{value:.4g}" for value in np.ravel(values)) for values in (expected, got)]
        note = f"{name} has the {part} {shown[1]} and its scan {shown[0]}; copy the scan's header"
        findings.append(Finding(f"wrong {part}", "FAIL", shown[0], f"{name}: {shown[1]}", note))
    return findings


def _values(labels: Head, name: str) -> list[Finding]:
    lowest, highest = 0, 0
    for plane in planes(labels.path, repaired(labels.path, labels.header), labels.file_shape):
        lowest, highest = min(lowest, int(plane.min())), max(highest, int(plane.max()))
    if lowest < 0 or highest > LAST:
        worst = lowest if lowest < 0 else highest
        note = f"{name} has the label {worst}; there are 0 to {LAST}"
        return [Finding("wrong output", "FAIL", f"0 to {LAST}", f"{name}: {worst}", note)]
    if not highest:
        note = f"{name} is all background: the network found no organ in this scan"
        return [Finding("empty label map", "WARN", "some organ", f"{name}: background", note)]
    return []


def _parts(affine: Array, steps: Array) -> dict[str, Array]:
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    return {
        "spacing": np.concatenate([lengths, steps]),
        "origin": affine[:3, 3],
        "direction": affine[:3, :3] / lengths,
    }


def _quaternion(one: Head) -> Array | None:
    """The matrix of a header's quaternion; nothing where it has none, or one that is no rotation."""
    try:
        matrix: Array | None = one.header.get_qform(coded=True)[0]
    except ValueError:
        return None
    return matrix


def _steps(one: Head) -> Array:
    return np.abs(np.asarray(one.header["pixdim"][1:4], np.float64))
