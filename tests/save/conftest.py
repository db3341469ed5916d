"""A stand-in for docker that streams what a test gives it, and the files that a build and a test leave behind."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.save import images
from tests.save.images import Made
from workflow.scripts.save import main

CONTRACT = Path(__file__).parents[2] / "containers" / "stoic" / "contract.yaml"
DOCKER = """#!/bin/sh
case "$1 $2" in
  "version --format") echo 99.0 ;;
  "image inspect") cat '{folder}/id' 2>/dev/null || {{ echo "Error: No such image" >&2; exit 1; }} ;;
  "save stoictrain:latest") exec sh -c "$(cat '{folder}/save')" ;;
  *) echo "unexpected: $*" >&2; exit 125 ;;
esac
"""


@dataclass
class Bench:
    """One image that was built and has passed; `record` and `verdict` are written when `main` is called."""

    folder: Path
    record: dict[str, Any]
    verdict: dict[str, Any]

    @property
    def archive(self) -> Path:
        return self.folder / "results" / "STOICTrain.tar.gz"

    @property
    def sha256(self) -> Path:
        return self.folder / "results" / "STOICTrain.tar.gz.sha256"

    @property
    def manifest(self) -> Path:
        return self.folder / "results" / "STOICTrain.manifest.json"

    @property
    def left(self) -> list[str]:
        """What lies in the folder of the results."""
        folder = self.archive.parent
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []

    def streams(self, made: Made, script: str = "cat '{folder}/image.tar'") -> None:
        """The engine has this image, and `save` runs this script."""
        (self.folder / "image.tar").write_bytes(made.tar)
        (self.folder / "id").write_text(made.image_id + "\n")
        (self.folder / "save").write_text(script.replace("{folder}", str(self.folder)))
        self.record["image_id"] = self.verdict["image_id"] = made.image_id

    def words(self) -> list[str]:
        for name in ("record", "verdict"):
            (self.folder / f"{name}.json").write_text(json.dumps(getattr(self, name)))
        named = {
            "record": self.folder / "record.json",
            "verdict": self.folder / "verdict.json",
            "contract": CONTRACT,
            "image": "train",
            "archive": self.archive,
            "manifest": self.manifest,
            "sha256": self.sha256,
        }
        return [str(word) for key, value in named.items() for word in (f"--{key}", value)]

    def main(self, *more: str) -> int:
        return main([*self.words(), *more])


LAYERS: Sequence[bytes] = (images.layer("one"), images.layer("two", 3_000_000), images.layer("one"))


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(DOCKER.format(folder=tmp_path))
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{docker.parent}:/usr/bin:/bin")
    record = {"challenge": "stoic", "image": "train", "tag": "stoictrain", "size": 3_000_000, "revision": "abc123"}
    verdict = {"status": "PASS", "reason": "It ran as promised.", "warnings": 2}
    made = Bench(tmp_path, record, verdict)
    made.streams(images.legacy(LAYERS))
    return made
