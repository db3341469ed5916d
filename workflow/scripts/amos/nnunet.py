"""nnU-Net as an engine: where its folders lie, what it is called with, and where its chatter goes.

nnU-Net looks for its folders in environment variables. They are set here and nowhere else, and before it is imported:
modules that import nnunetv2 are imported by the commands only after `workspace`.
"""

from __future__ import annotations

import os
import platform
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from importlib.metadata import version
from pathlib import Path
from typing import Any

from containers.amos.organs import LABELS
from containers.kit import cpus
from workflow.scripts.amos.samples import Sample

CHANNELS = {1: "CT", 2: "CT or MR"}  # by "CT" nnU-Net knows that intensities are Hounsfield units
DATASETS = {1: "Dataset218_AMOS2022_task1", 2: "Dataset219_AMOS2022_task2"}
FILES = ("dataset.json", "dataset_fingerprint.json", "plans.json")
PACKAGES = ("nnunetv2", "dynamic-network-architectures", "torch", "numpy", "nibabel", "safetensors")


def workspace(folder: Path, *, augmenters: int = 1) -> Path:
    """Let nnU-Net work below `folder`, with that many processes that augment."""
    folder = folder.absolute()
    for name in ("raw", "preprocessed", "results"):
        os.environ[f"nnUNet_{name}"] = str(folder / name)
    os.environ["nnUNet_n_proc_DA"] = str(augmenters)  # noqa: SIM112 (so nnU-Net spells it)
    os.environ["nnUNet_def_n_proc"] = str(cpus.available())  # noqa: SIM112
    os.environ.setdefault("MPLBACKEND", "agg")
    return folder


@contextmanager
def chatter_to(log: Path) -> Iterator[None]:
    """What nnU-Net prints goes to a file; what Slipway has to say goes to standard error, or comes afterwards."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as stream, redirect_stdout(stream), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def dataset_json(task: int, samples: tuple[Sample, ...]) -> dict[str, Any]:
    """The raw data set as nnU-Net wants it described; the images are used where they lie."""
    return {
        "name": DATASETS[task],
        "channel_names": {"0": CHANNELS[task]},
        "labels": LABELS,
        "numTraining": len(samples),
        "file_ending": ".nii.gz",
        "overwrite_image_reader_writer": "NibabelIOWithReorient",
        "dataset": {
            sample.id: {"images": [str(sample.image.absolute())], "label": str(sample.label.absolute())}
            for sample in samples
        },
    }


def versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def note(text: str) -> None:
    print(f"note: {text}", file=sys.stderr, flush=True)
