"""Real weights and real photos out of packages; both networks compared once, and the better one exported twice."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from workflow.scripts.objectnet import artifact, choose, compare, photos, weights

MIDDLE = {"interpolation": "bicubic", "mean": [0.5] * 3, "std": [0.5] * 3}
CANDIDATES: dict[str, dict[str, Any]] = {
    "lite0": {
        "model": "EfficientNetLite0",
        "weights": "package:efficientnet-lite0",
        "transform": {"size": 224, "crop": 0.875, **MIDDLE},
    },
    "lite2": {
        "model": "EfficientNetLite2",
        "weights": "package:efficientnet-lite2",
        "transform": {"size": 260, "crop": 0.89, **MIDDLE},
    },
}
FP32 = {"precision": "fp32"}  # the same on every machine


@dataclass(frozen=True)
class Place:
    """Where the commands find things. Do not write into what a session shares."""

    folder: Path

    @property
    def photos(self) -> Path:
        return self.folder / "photos.json"

    def record(self, candidate: str) -> Path:
        return self.folder / "weights" / f"{candidate}.json"

    def compared(self, candidate: str) -> Path:
        return self.folder / "candidates" / f"{candidate}.json"

    def compare(self, candidate: str, settings: dict[str, Any], output: Path, **given: Any) -> list[str]:
        """The words of the command; `given` replaces flags."""
        predict = given.pop("predict", {})
        flags = {
            "candidate": candidate,
            "settings": json.dumps(settings),
            "predict": json.dumps({**FP32, **predict}),
            "weights": self.record(candidate),
            "photos": self.photos,
            "workers": 2,
            "output": output,
        }
        return [f"--{name}={value}" for name, value in {**flags, **given}.items()]

    def export(self, output: Path, *more: str) -> list[str]:
        chosen, records = self.folder / "chosen.json", self.folder / "weights"
        words = [f"--chosen={chosen}", f"--weights={records}", f"--photos={self.photos}", f"--output={output}"]
        return [*words, "--revision=abc", *more]


@pytest.fixture(scope="session")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Photos, and the weights of both candidates."""
    place = Place(tmp_path_factory.mktemp("objectnet"))
    assert photos.main(["--photos=package", f"--scratch={place.folder / 'raw'}", f"--output={place.photos}"]) == 0
    for name, candidate in CANDIDATES.items():
        words = [f"--candidate={name}", f"--weights={candidate['weights']}", f"--cache={place.folder / 'cache'}"]
        assert weights.main([*words, f"--output={place.record(name)}"]) == 0
    return place


@pytest.fixture(scope="session")
def chosen(ready: Place) -> Place:
    """Both compared, and one chosen."""
    for name, candidate in CANDIDATES.items():
        assert compare.main(ready.compare(name, candidate, ready.compared(name))) == 0
    words = ["--candidate", *[str(ready.compared(name)) for name in CANDIDATES]]
    assert choose.main([*words, "--predict={}", f"--output={ready.folder / 'chosen.json'}"]) == 0
    return ready


@pytest.fixture(scope="session")
def exported(chosen: Place) -> Path:
    folder = chosen.folder / "artifact"
    assert artifact.main(chosen.export(folder, "--runtime=both")) == 0
    return folder
