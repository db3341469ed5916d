"""Small preprocessed cases with labels that can be learned, and settings that train in seconds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from containers.kit.settings import build
from containers.stoic.job import Job
from containers.stoic.settings import Settings

SIDE = 16
NO_CHANGE = {"flip": False, "shift": 0, "scale": 0.0, "rotate": 0.0, "gain": 0.0, "noise": 0.0}
TINY = "tests.stoic_train.nets:Tiny"


def make_cases(folder: Path, count: int = 24) -> Path:
    """reference.csv and cases below `folder`: negative, mild and severe in turn, told apart by their brightness."""
    cases = folder / "cases"
    cases.mkdir(parents=True)
    lines = ["PatientID,probCOVID,probSevere"]
    for case in range(count):
        course = case % 3
        voxels = np.random.default_rng(case).uniform(0, 0.2, (SIDE, SIDE, SIDE)) + 0.3 * course
        np.save(cases / f"{case}.npy", voxels.astype(np.float16))
        age, sex = (None, None) if case % 5 == 0 else (45 + 10 * (case % 4), "MF"[case % 2])
        (cases / f"{case}.json").write_text(json.dumps({"id": case, "age": age, "sex": sex}))
        lines.append(f"{case},{int(course > 0)},{int(course > 1)}")
    (folder / "reference.csv").write_text("\n".join(lines) + "\n")
    return folder


def settings(**train: Any) -> dict[str, Any]:
    quick = {
        "model": TINY,
        "folds": 2,
        "holdout": 0.25,
        "epochs": 2,
        "batch": 3,
        "lr": 0.01,
        "loaders": 0,
        "checkpoint_minutes": 0,
    }
    return {"preprocess": {"size": [SIDE, SIDE, SIDE]}, "train": quick | train, "predict": {"flip": True}}


def make_job(data: Path, place: Path, **train: Any) -> Job:
    ready = build(Settings, settings(**train), "settings")
    return Job(ready, data / "reference.csv", data / "cases", place / "scratch", place / "artifact", "abc123")
