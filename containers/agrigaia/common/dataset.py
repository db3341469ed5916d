"""The platform's names for what folders.py does. The platform may put a file of its own here, so that nothing of ours
imports this one."""

from __future__ import annotations

from folders import (
    DATA_DIRS,
    DATASETS_ROOT_PATH,
    MOUNTED_DATASETS_ROOT_PATH,
    create_directory_structure,
    create_images,
    create_labels,
    get_dataset_path,
    load_dataset_filepaths,
)

__all__ = [
    "DATASETS_ROOT_PATH",
    "DATA_DIRS",
    "MOUNTED_DATASETS_ROOT_PATH",
    "create_directory_structure",
    "create_images",
    "create_labels",
    "get_dataset_path",
    "load_dataset_filepaths",
]
