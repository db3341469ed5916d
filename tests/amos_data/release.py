"""A tiny release in the organisers' layout, any part of which can be wrong."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from containers.amos.organs import LABELS

SUFFIX = {"training": "Tr", "validation": "Va", "test": "Ts"}
CASES = {"training": (7, 3, 507), "validation": (12, 20, 510), "test": (450,)}
AFFINE = np.diag([-2.0, -2.0, 5.0, 1.0])


def name_of(case: int) -> str:
    return f"amos_{case:04d}.nii.gz"


def write(path: Path, voxels: np.ndarray[Any, Any], affine: np.ndarray[Any, Any] = AFFINE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(voxels, affine), path)
    return path


def voxels_of(case: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(case).integers(-100, 200, (6, 5, 4)).astype(np.int16)


def labels_of(case: int) -> np.ndarray[Any, Any]:
    """Every organ in the first slices, in some order."""
    labels = np.zeros((6, 5, 4), np.uint8)
    labels[:, :, :2].flat[:45] = np.repeat(np.random.default_rng(case).permutation(np.arange(1, 16)), 3)
    return labels


def description(cases: Mapping[str, Iterable[int]], *, plain: bool = False, dot: str = "./") -> dict[str, Any]:
    """dataset.json; `plain` as at the time of the challenge, when the test was a list of names and nothing else."""
    lists: dict[str, list[Any]] = {}
    for part, numbers in cases.items():
        lists[part] = []
        for number in numbers:
            entry = {"image": f"{dot}images{SUFFIX[part]}/{name_of(number)}"}
            if part != "test":
                entry["label"] = f"{dot}labels{SUFFIX[part]}/{name_of(number)}"
            lists[part].append(entry["image"] if plain and part == "test" else entry)
    labels = {str(number): name for name, number in LABELS.items()}
    return {"name": "AMOS", "licence": "CC-BY-SA 4.0", "modality": {"0": "CT"}, "labels": labels, **lists}


def release(
    root: Path, cases: Mapping[str, Iterable[int]] = CASES, *, file: str = "dataset.json", **style: Any
) -> Path:
    for part, numbers in cases.items():
        for number in numbers:
            write(root / f"images{SUFFIX[part]}" / name_of(number), voxels_of(number))
            if part != "test":
                write(root / f"labels{SUFFIX[part]}" / name_of(number), labels_of(number))
    (root / file).write_text(json.dumps(description(cases, **style)))
    return root


def change(root: Path, **values: Any) -> None:
    """Overwrite keys of dataset.json; None removes one."""
    path = root / "dataset.json"
    content = json.loads(path.read_text()) | values
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))
