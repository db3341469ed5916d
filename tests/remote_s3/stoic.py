"""The command that fetches STOIC's `source: remote`, and what it leaves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.agrigaia_s3.weed import OPEN, Server
from workflow.scripts.stoic.fetch import main

ACCEPTED = "MEADOW-1.0"
LICENCE = {"name": ACCEPTED, "terms": ["cows first"]}
KEY = "sources.data.stoic.s3"


@dataclass(frozen=True)
class Stoic:
    """Where one test fetches to."""

    folder: Path
    url: str

    def words(self, prefix: str, cases: int = 0, **changes: Any) -> list[str]:
        where = {"bucket": OPEN, "endpoint": self.url, "prefix": prefix, "anonymous": True, **changes}
        row = json.dumps({"title": "STOIC", "licence": LICENCE, "s3": where})
        words = ["--source", "remote", "--row", row, "--accept", ACCEPTED, "--scratch", str(self.raw)]
        return [*words, "--remote", json.dumps({"cases": cases}), "--manifest", str(self.folder / "manifest.json")]

    def fetch(self, prefix: str, cases: int = 0, **changes: Any) -> int:
        return main(self.words(prefix, cases, **changes))

    @property
    def raw(self) -> Path:
        return self.folder / "raw"

    @property
    def manifest(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text())
        return content

    @property
    def root(self) -> Path:
        return Path(self.manifest["root"])

    @property
    def home(self) -> Path:
        """Of what came from one bucket."""
        (home,) = (self.raw / "remote").iterdir()
        return home


def put(server: Server, prefix: str, root: Path, bucket: str = OPEN) -> dict[str, bytes]:
    """The layout into a bucket, and files beside it; what of it should come."""
    bodies = {
        str(path.relative_to(root)): path.read_bytes()
        for part in ("data", "metadata")
        for path in (root / part).rglob("*")
        if path.is_file()
    }
    beside = {"LICENSE.txt": b"read me", "data/mha/notes.txt": b"no image", "metadata/more.csv": b"1,2"}
    for name, body in {**bodies, **beside}.items():
        server.s3.put_object(Bucket=bucket, Key=f"{prefix}/{name}", Body=body)
    return bodies
