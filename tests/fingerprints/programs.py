"""The programs that these tests run: fetch, to have a manifest, and inspect."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

Json = dict[str, Any]


def fetched(challenge: str, source: Path | str, folder: Path, *more: str) -> Path:
    """The manifest of a data set."""
    fetch = importlib.import_module(f"workflow.scripts.{challenge}.fetch")
    manifest = folder / "raw" / "manifest.json"
    words = ["--source", str(source), "--scratch", str(folder / "raw"), "--manifest", str(manifest), "--workers", "1"]
    assert fetch.main([*words, *more]) == 0
    return manifest


def inspect(challenge: str, manifest: Path, read: int, workers: int = 1) -> int:
    program = importlib.import_module(f"workflow.scripts.{challenge}.inspect")
    words = ["--manifest", str(manifest), "--read", str(read), "--workers", str(workers)]
    status: int = program.main([*words, "--output", str(output(manifest))])
    return status


def output(manifest: Path) -> Path:
    return manifest.with_name("fingerprint.json")


def inspected(challenge: str, manifest: Path, read: int = 0, workers: int = 1) -> Json:
    """What the program wrote."""
    assert inspect(challenge, manifest, read, workers) == 0
    content: Json = json.loads(output(manifest).read_text())
    return content


def refused(challenge: str, manifest: Path, capsys: pytest.CaptureFixture[str], read: int = 0) -> str:
    """The one sentence with which the program ended, and nothing was written."""
    capsys.readouterr()
    assert inspect(challenge, manifest, read) == 1
    assert not output(manifest).exists()
    assert sorted(path.name for path in manifest.parent.iterdir() if path.is_file()) == [manifest.name]
    said = [line for line in capsys.readouterr().err.splitlines() if "it/s" not in line and "?, ?" not in line]
    assert len(said) == 1
    assert said[0].startswith("error: ")
    return said[0].removeprefix("error: ")


def change(manifest: Path, **values: Any) -> Path:
    """Overwrite keys of the manifest."""
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | values))
    return manifest


def measures(content: Json) -> dict[str, tuple[Any, ...]]:
    """Least, median, largest and how many, by the measure's group and name."""
    return {
        f"{one['group']} {one['name']}".strip(): (one["low"], one["median"], one["high"], one["count"])
        for one in content["measures"]
    }


def counts(content: Json) -> dict[str, tuple[int, int | None]]:
    return {one["name"]: (one["found"], one["released"]) for one in content["counts"]}


def labels(content: Json) -> dict[str, dict[str, int]]:
    return {one["title"]: {row["name"]: row["count"] for row in one["counts"]} for one in content["labels"]}
