"""Scans as NIfTI files, made for the tests."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.orientations import inv_ornt_aff

ORIENTATIONS = [
    np.array([(axis, flip) for axis, flip in zip(order, flips, strict=True)])
    for order in itertools.permutations(range(3))
    for flips in itertools.product((1, -1), repeat=3)
]
UPRIGHT = np.array([[0.75, 0, 0, -31.5], [0, 0.8, 0, 12.25], [0, 0, 5, 100], [0, 0, 0, 1]])


def turned(orientation: Any, shape: tuple[int, int, int], affine: Any = UPRIGHT) -> Any:
    """The affine of a file whose axes run as `orientation` says, in nibabel's way of saying it."""
    return affine @ inv_ornt_aff(orientation, shape)


def noise(shape: tuple[int, ...], seed: int = 0) -> Any:
    return np.random.default_rng(seed).integers(-1000, 1000, shape).astype(np.int16)


def save(path: Path, voxels: Any, affine: Any = UPRIGHT, codes: tuple[int, int] = (1, 1), **fields: Any) -> Path:
    """`codes` of sform and qform; `fields` are set in the header to the letter, after nibabel made it."""
    image = nib.Nifti1Image(voxels, affine)
    image.set_sform(affine, codes[0])
    image.set_qform(affine, codes[1])
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, path)
    if fields:
        patch(path, **fields)
    return path


def patch(path: Path, **fields: Any) -> None:
    """Change the header of a file without the library's opinion on it."""
    opened = nib.openers.Opener
    with opened(str(path)) as stream:
        content = stream.read()
    header = nib.Nifti1Header(content[:348], check=False)
    for name, value in fields.items():
        header[name] = value
    with opened(str(path), "wb") as stream:
        stream.write(header.binaryblock + content[348:])
