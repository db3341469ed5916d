"""Where a data set lies, and where what is made of it goes: the platform's folders, unless the environment says others.

AGRIGAIA_MINIO stands in for /minio/datasets, AGRIGAIA_DATASETS for /datasets.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from cvat_xml import DataError
from pictures import find

MOUNTED_DATASETS_ROOT_PATH = Path(os.environ.get("AGRIGAIA_MINIO") or "/minio/datasets")
DATASETS_ROOT_PATH = Path(os.environ.get("AGRIGAIA_DATASETS") or "/datasets")
DATA_DIRS: dict[
    str, dict[str, Path]
] = {}  # of images and labels, then of train and val; see create_directory_structure
KINDS, PARTS = ("images", "labels"), ("train", "val")


def get_dataset_path() -> Path:
    """The folder of the data set that DATASET_ID names."""
    name = os.environ.get("DATASET_ID", "")
    if not name:
        raise DataError("DATASET_ID is not set; give the container the number of a data set")
    path = MOUNTED_DATASETS_ROOT_PATH / name
    if name in (".", "..") or Path(name).name != name:
        raise DataError(f"DATASET_ID '{name}' is no name of a folder; give the one below {MOUNTED_DATASETS_ROOT_PATH}")
    if not path.is_dir():
        raise DataError(f"{path} is not there; mount the data sets, or give DATASET_ID another one's number")
    return path


def load_dataset_filepaths() -> list[Path]:
    """The data set's pictures, sorted, with those in folders; what is no picture is left out."""
    path = get_dataset_path()
    files: list[Path]
    files, complaints = find(path)
    for complaint in complaints:
        print(f"warning: {complaint}")
    if not files:
        raise DataError(f"{path} holds no pictures; put them there")
    return files


def create_directory_structure() -> None:
    """Empty folders for images and labels of both parts, also where the container was started before."""
    for kind in KINDS:
        for part in PARTS:
            folder = DATASETS_ROOT_PATH / kind / part
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            DATA_DIRS.setdefault(kind, {})[part] = folder


def create_images(part: str, names: Mapping[Path, str]) -> None:
    """Links to the pictures, by the names that they have there."""
    folder = DATA_DIRS["images"][part]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for file, name in names.items():
        link = folder / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(file.resolve())


def create_labels(part: str, write: Callable[[Path], None]) -> None:
    """`write` is given the folder of the part's labels, which is empty."""
    folder = DATA_DIRS["labels"][part]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write(folder)
