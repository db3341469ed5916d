"""What a predicted label map is worth: DSC and NSD of each organ, and the components that it is made of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from containers.amos import volume
from containers.amos.organs import LAST, ORGANS
from containers.kit.errors import UserError
from workflow.scripts.amos.cleaning import Seen
from workflow.scripts.amos.metric import OrganScore, measure
from workflow.scripts.amos.samples import Sample

Labels = NDArray[np.uint8]
CORNERS = np.ones((3, 3, 3), bool)  # voxels that share a corner are connected, as in the container


def judge(folder: Path, tolerance: float, case: Sample) -> dict[str, Any]:
    """DSC and NSD of each organ of a case, and the components of what was predicted."""
    truth, prediction = volume.read(case.label), volume.read(folder / f"{case.id}.nii.gz")
    there, found = truth.voxels.astype(np.uint8), prediction.voxels.astype(np.uint8)
    if there.shape != found.shape:
        raise UserError(f"{case.label} is {there.shape} but its image {found.shape}; fetch both again")
    scores = measure(there, found, prediction.spacing, tolerance)
    return {
        "id": case.id,
        "modality": case.modality,
        "voxel_mm3": math.prod(prediction.spacing),
        "organs": {
            str(organ): asdict(score) | {"truth": int(np.count_nonzero(there == organ)), "parts": parts}
            for (organ, score), parts in zip(scores.items(), components(found, there), strict=True)
        },
    }


def components(found: Labels, there: Labels) -> list[list[list[int]]]:
    """Of each organ in turn: [voxels of a component, how many have so many, voxels of them all that are right]."""
    tables: list[list[list[int]]] = []
    for organ, box in zip(ORGANS, ndimage.find_objects(found, LAST), strict=True):
        if box is None:
            tables.append([])
            continue
        numbers, _ = ndimage.label(found[box] == organ, CORNERS)
        sizes = np.bincount(numbers.ravel())
        right = np.bincount(numbers[there[box] == organ], minlength=len(sizes))
        rows: dict[int, list[int]] = {}
        for size, correct in zip(sizes[1:].tolist(), right[1:].tolist(), strict=True):
            row = rows.setdefault(size, [size, 0, 0])
            row[1] += 1
            row[2] += correct
        tables.append([rows[size] for size in sorted(rows, reverse=True)])
    return tables


def scores(case: Mapping[str, Any]) -> dict[int, OrganScore]:
    """What `judge` wrote of a case, as the metric's own."""
    names = [field.name for field in fields(OrganScore)]
    return {int(organ): OrganScore(**{name: row[name] for name in names}) for organ, row in case["organs"].items()}


def seen(validated: Sequence[Mapping[str, Any]]) -> dict[int, list[Seen]]:
    """Of each organ, what the cleaning can learn from all folds' cases."""
    return {
        organ: [
            Seen(fold["fold"], case["voxel_mm3"], row["truth"], tuple((a, b, c) for a, b, c in row["parts"]))
            for fold in validated
            for case in fold["cases"]
            for row in [case["organs"][str(organ)]]
        ]
        for organ in ORGANS
    }
