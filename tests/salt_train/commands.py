"""The commands of the training, as the rules call them, with settings that take a second."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from workflow.scripts.salt import classified, classify, pack, segment
from workflow.scripts.salt.fetch import main as fetch

Array = np.ndarray[Any, Any]
STILL = {"flip": False, "shift": 0, "scale": 0.0, "offset": 0, "gain": 0.0}
QUICK: dict[str, Any] = {
    "epochs": 2, "cycle": 1, "batch": 4, "lr": 0.01, "loaders": 0, "checkpoint_minutes": 0, "amp": "off",
}  # fmt: skip
WHOLE = {**QUICK, "model": "tests.salt_train.nets:Whole"}
PIXELS = {**QUICK, "model": "tests.salt_train.nets:Pixels"}
INPUTS = {"scale": 60.0}


@dataclass(frozen=True)
class Place:
    """Where packed images are, and what is made of them."""

    folder: Path

    @property
    def packed(self) -> Path:
        return self.folder / "packed"

    @property
    def oof(self) -> Path:
        return self.folder / "oof.csv"

    def scratch(self, kind: str, fold: int) -> Path:
        return self.folder / "learning" / f"{kind}_fold_{fold}"

    def output(self, kind: str, fold: int) -> Path:
        return self.folder / "folds" / f"{kind}_{fold}"

    def words(
        self, kind: str, settings: dict[str, Any], fold: int = 0, elsewhere: Path | None = None, **inputs: Any
    ) -> list[str]:
        """The command line; `elsewhere` is for what it writes."""
        there = Place(elsewhere) if elsewhere else self
        return [
            "--packed", str(self.packed), "--fold", str(fold), "--settings", json.dumps(settings),
            "--inputs", json.dumps(INPUTS | inputs), "--seed", "1", "--threads", "1",
            "--scratch", str(there.scratch(kind, fold)), "--output", str(there.output(kind, fold)),
        ]  # fmt: skip

    def classify(self, fold: int = 0, elsewhere: Path | None = None, **changes: Any) -> int:
        inputs = changes.pop("inputs", {})
        return classify.main(self.words("classifier", WHOLE | changes, fold, elsewhere, **inputs))

    def segment(self, fold: int = 0, elsewhere: Path | None = None, **changes: Any) -> int:
        inputs = changes.pop("inputs", {})
        words = self.words("segmentation", PIXELS | changes, fold, elsewhere, **inputs)
        return segment.main([*words, "--oof", str(self.oof)])

    def classified(self, folds: int = 2) -> int:
        folders = [str(self.output("classifier", fold)) for fold in range(folds)]
        return classified.main(["--packed", str(self.packed), "--folds", *folders, "--output", str(self.oof)])


def record(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "fold.json").read_text())
    return content


def judged(folder: Path) -> dict[str, Array]:
    with np.load(folder / "judged.npz") as content:
        return dict(content)


def demo(folder: Path, train: int = 24) -> Path:
    """The manifest of demo data."""
    words = ["--source", "demo", "--demo", json.dumps({"train": train, "test": 2}), "--workers", "1"]
    manifest = folder / "manifest.json"
    assert fetch([*words, "--scratch", str(folder / "raw"), "--manifest", str(manifest)]) == 0
    return manifest


def pack_images(manifest: Path, output: Path, folds: int = 2) -> int:
    told = json.dumps({"folds": folds, "seed": 3})
    return pack.main(["--manifest", str(manifest), "--train", told, "--workers", "1", "--output", str(output)])


def draw(folder: Path, depths: list[int | None], coverages: list[float]) -> Path:
    """The manifest of images whose first rows are salt, and brighter."""
    (folder / "root").mkdir(parents=True)
    cases = []
    for number, (feet, share) in enumerate(zip(depths, coverages, strict=True)):
        mask = np.zeros((101, 101), np.uint16)
        mask[: round(101 * share)] = 65535
        grey = np.random.default_rng(number).integers(60, 120, (101, 101)) + (mask > 0) * 100
        Image.fromarray(np.repeat(grey[..., None].astype(np.uint8), 3, axis=2)).save(folder / f"root/{number}.png")
        Image.fromarray(mask).save(folder / f"root/{number}_mask.png")
        files = {"image": f"{number}.png", "mask": f"{number}_mask.png"}
        cases.append({"id": f"{number:010x}", **files, "rle": None, "z": feet, "coverage": float((mask > 0).mean())})
    manifest = folder / "manifest.json"
    content = {"schema": 1, "source": "folder", "root": str(folder / "root"), "train": cases, "test": []}
    manifest.write_text(json.dumps(content | {"fingerprint": "abc"}))
    return manifest
