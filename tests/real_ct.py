"""A real abdominal CT with 14 of the 15 organs of AMOS22: it comes with the source package of TotalSegmentator.

The label map is that program's own, not a person's. It is fetched from the package index when a test asks for it, and a
test that cannot have it fails.
"""

from __future__ import annotations

import ast
import gzip
import subprocess
import sys
import tarfile
from pathlib import Path

import nibabel as nib
import numpy as np

from containers.amos.organs import LABELS
from containers.kit.files import sha256

NAME, VERSION = "totalsegmentator", "2.18.0"
SHA256 = "5d4223ef93973bc36d710869d11e7742ead2c154c72f7f9edcaaadd5b6c4bd03"
IMAGE = "tests/reference_files/example_ct.nii.gz"
SEGMENTATION = "tests/reference_files/example_seg_fast_force_split.nii.gz"
CLASSES = "totalsegmentator/map_to_binary.py"
TO_AMOS = {
    "spleen": "spleen",
    "kidney_right": "right kidney",
    "kidney_left": "left kidney",
    "gallbladder": "gall bladder",
    "esophagus": "esophagus",
    "liver": "liver",
    "stomach": "stomach",
    "aorta": "arota",
    "inferior_vena_cava": "postcava",
    "pancreas": "pancreas",
    "adrenal_gland_right": "right adrenal gland",
    "adrenal_gland_left": "left adrenal gland",
    "duodenum": "duodenum",
    "urinary_bladder": "bladder",
    "prostate": "prostate/uterus",
}


def real_ct(folder: Path) -> tuple[Path, Path]:
    """The image and its label map in AMOS' numbers, fetched into `folder` where they are not there yet."""
    image, labels = folder / "real_ct.nii.gz", folder / "real_ct_labels.nii.gz"
    if not labels.is_file():  # written last
        folder.mkdir(parents=True, exist_ok=True)
        with tarfile.open(_package(folder)) as package:
            parts = {part: _member(package, part) for part in (IMAGE, SEGMENTATION, CLASSES)}
        image.write_bytes(parts[IMAGE])
        found = nib.Nifti1Image.from_bytes(gzip.decompress(parts[SEGMENTATION]))
        mapped = _table(parts[CLASSES].decode())[np.asarray(found.dataobj).astype(np.int64)]
        nib.save(nib.Nifti1Image(mapped, found.affine), labels)
    return image, labels


def _package(folder: Path) -> Path:
    words = ["--no-deps", "--no-binary", ":all:", "--no-build-isolation", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "download", *words, "--dest", str(folder), f"{NAME}=={VERSION}"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"the package index did not give {NAME} {VERSION}: {ran.stderr}"
    path = folder / f"{NAME}-{VERSION}.tar.gz"
    assert sha256(path) == SHA256
    return path


def _member(package: tarfile.TarFile, name: str) -> bytes:
    stream = package.extractfile(f"{NAME}-{VERSION}/{name}")
    assert stream is not None
    return stream.read()


def _table(source: str) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    """AMOS' number of each of the package's; its module is read and not run."""
    classes: dict[int, str] = next(
        ast.literal_eval(statement.value)["total"]
        for statement in ast.parse(source).body
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "class_map"
    )
    table = np.zeros(256, np.uint8)
    for number, name in classes.items():
        table[number] = LABELS[TO_AMOS[name]] if name in TO_AMOS else 0
    return table
