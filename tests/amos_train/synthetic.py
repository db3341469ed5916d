"""A handful of tiny cases in AMOS' layout: boxes for organs, voxels that are no cubes, axes that are not RAS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

SHAPE = (24, 40, 40)  # z, y, x
SPACING = (3.0, 1.5, 1.2)
BOXES = {  # label: z, y, x ranges, and how bright it is
    1: ((3, 12), (4, 14), (4, 14), 150.0),
    6: ((6, 20), (18, 36), (6, 22), 90.0),
    11: ((10, 15), (8, 13), (24, 30), 220.0),
    14: ((2, 8), (24, 34), (26, 37), 20.0),
}
PLAN = {"patch": [16, 32, 32], "features": 4, "batch": 2}
TRAIN = {"folds": 2, "epochs": 2, "iterations": 2, "val_iterations": 1, "mirror": False, "checkpoint_every": 1}


def volumes(number: int, modality: str) -> tuple[np.ndarray, np.ndarray]:
    """A case's voxels and labels, (z, y, x); each case is shifted a little."""
    random = np.random.default_rng(number)
    image = random.normal(-80 if modality == "CT" else 100, 15, SHAPE)
    label = np.zeros(SHAPE, dtype=np.uint8)
    shift = random.integers(-2, 3, 3)
    for organ, (*ranges, bright) in BOXES.items():
        place = tuple(slice(max(0, first + d), last + d) for (first, last), d in zip(ranges, shift, strict=True))
        label[place] = organ
        image[place] += bright if modality == "CT" else 3 * bright
    return image.astype(np.int16), label


def save(path: Path, voxels: np.ndarray, codes: str = "LPS", spacing: tuple[float, ...] = SPACING) -> None:
    """Write (z, y, x) voxels, which lie along R, A, S, with the axes turned to `codes`."""
    canonical = nibabel.Nifti1Image(voxels.transpose(2, 1, 0), np.diag([*spacing[::-1], 1.0]))
    canonical.header.set_xyzt_units("mm")
    turned = nibabel.orientations.ornt_transform(
        nibabel.orientations.axcodes2ornt("RAS"), nibabel.orientations.axcodes2ornt(codes)
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(canonical.as_reoriented(turned), path)


def make(folder: Path, ct: int = 4, mr: int = 2, validation: int = 1) -> Path:
    """`ct` and `mr` training cases and some for validation; returns the manifest, of task 2."""
    root = folder / "amos22"
    chosen = [(1 + n, "CT", "training") for n in range(ct)] + [(507 + n, "MR", "training") for n in range(mr)]
    chosen += [(8 + n, "CT", "validation") for n in range(validation)]
    cases: list[dict[str, Any]] = []
    for number, modality, part in chosen:
        name, end = f"amos_{number:04d}", "Tr" if part == "training" else "Va"
        image, label = volumes(number, modality)
        codes = "LPS" if number % 2 else "PIR"
        save(root / f"images{end}/{name}.nii.gz", image, codes)
        save(root / f"labels{end}/{name}.nii.gz", label, codes)
        cases.append(
            {
                "id": name,
                "modality": modality,
                "part": part,
                "image": f"images{end}/{name}.nii.gz",
                "label": f"labels{end}/{name}.nii.gz",
            }
        )
    content = {"schema": 1, "source": "folder", "root": str(root), "fingerprint": "f00d", "task": 2, "cases": cases}
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps(content))
    return manifest
