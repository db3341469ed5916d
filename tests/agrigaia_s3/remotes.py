"""The command that fetches `source: remote`, with nothing of this machine's settings, and what it leaves."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.agrigaia_s3.weed import BUCKET, KEY, SECRET, Server
from workflow.scripts.agrigaia.fetch import main

VARIABLES = ("OID_ACCESS_TOKEN", "S3_ROLE_ARN", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION")
KEYS = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
WHERE = "challenges.agrigaia.remote"

Said = Callable[[], str]


@dataclass(frozen=True)
class Remote:
    """Where one test fetches to."""

    folder: Path
    url: str

    def words(self, dataset: str = "1", **changes: Any) -> list[str]:
        told = {"host": self.url, "bucket": BUCKET, "dataset": dataset, **changes}
        words = ["--source", "remote", "--remote", json.dumps(told), "--scratch", str(self.folder / "raw")]
        return [*words, "--manifest", str(self.folder / "manifest.json")]

    def fetch(self, dataset: str = "1", **changes: Any) -> int:
        return main(self.words(dataset, **changes))

    @property
    def manifest(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text())
        return content

    @property
    def root(self) -> Path:
        return Path(self.manifest["root"])


def files(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def put(server: Server, dataset: str, root: Path, bucket: str = BUCKET) -> dict[str, bytes]:
    """A data set into the bucket; what lies in it."""
    bodies = files(root)
    for name, body in bodies.items():
        server.s3.put_object(Bucket=bucket, Key=f"datasets/{dataset}/{name}", Body=body)
    return bodies


def without_settings(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    for name in (*VARIABLES, *KEYS):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(folder / name))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("NO_PROXY", "*")


def error(capsys: pytest.CaptureFixture[str]) -> str:
    """What it ended with."""
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("error: ")
    return last.removeprefix("error: ")
