"""A stand-in for Kaggle's program that downloads, breaks off, goes on, and complains as the real one does."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.kaggle_user import at_home
from tests.salt_data.conftest import Fetched, fetch_demo
from workflow.scripts.salt import fetch

COMPETITION = "tgs-salt-identification-challenge"
PAGE = "https://rules.example/accept"
KEY, USER = "0123secret4567/+key89", "planted-user"
PROGRAM = """#!{python}
import json, os, signal, sys
from pathlib import Path

home = Path(os.environ["FAKE_KAGGLE"])
answer = json.loads((home / "answer.json").read_text())
words = sys.argv[1:]
folder = Path(words[words.index("-p") + 1])
call = {{"words": words, "from": {{}}}}
for number in range(answer.get("progress", 1)):
    sys.stderr.write(f"\\r{{number:3d}}%|████      | {{number}}.0M/50.0M [00:00<00:01, 30.1MB/s]")
sys.stderr.write("\\n")
for path in sorted(Path(answer["gives"]).iterdir()) if "gives" in answer else []:
    data, target = path.read_bytes(), folder / path.name
    marker = Path(f"{{target}}.kaggle-partial")
    if target.exists() and not marker.exists():
        print(f"{{path.name}}: Skipping, found more recently modified local copy (use --force to force download)")
        continue
    begin = call["from"][path.name] = target.stat().st_size if target.exists() else 0
    marker.write_text("{{}}")
    end = len(data) // 2 if answer.get("breaks") == path.name else len(data)
    with target.open("ab") as stream:
        stream.write(data[begin:end])
    if end < len(data) and not answer.get("unnoticed"):
        break
    marker.unlink()
with (home / "calls.jsonl").open("a") as calls:
    calls.write(json.dumps(call) + "\\n")
for piece in answer.get("says", []):
    os.write(1, piece.encode())
while answer.get("hangs"):
    signal.pause()
sys.exit(answer["status"])
"""


class Kaggle:
    """The folder of a run, what the program is to do, and what it was called with."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        self.scratch, self.manifest = folder / "raw", folder / "manifest.json"
        self.place = self.scratch / "remote" / COMPETITION
        self.work = self.place.with_name(f".{COMPETITION}.downloading")

    def answer(self, status: int = 0, **facts: Any) -> None:
        (self.folder / "answer.json").write_text(json.dumps({"status": status, **facts}, default=str))

    def words(self, **row: Any) -> list[str]:
        table = {
            "title": "salt",
            "kaggle": {"competition": COMPETITION, "page": PAGE, "about": 1000},
            "archive": {"files": 1000, "bytes": 10**9},
        }
        where = ["--scratch", str(self.scratch), "--manifest", str(self.manifest), "--row", json.dumps(table | row)]
        return ["--source", "remote", "--workers", "1", *where]

    def run(self, **row: Any) -> tuple[int, str]:
        """Status, and all that was said; the credentials are in none of it, and in no file."""
        status = fetch.main(self.words(**row))
        out, err = self._capsys.readouterr()
        self.hidden(out + err)
        return status, err

    def hidden(self, said: str) -> None:
        for path in (*self.scratch.rglob("*.json"), *self.manifest.parent.glob("manifest.json")):
            said += path.read_text()
        assert [word for word in (KEY, KEY[:10], KEY[-5:], USER) if word in said] == []

    def error(self, **row: Any) -> str:
        status, err = self.run(**row)
        assert status == 1
        assert not self.manifest.exists()
        return err.splitlines()[-1]

    def calls(self) -> list[dict[str, Any]]:
        path = self.folder / "calls.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def begun(self) -> Sequence[dict[str, int]]:
        """From which byte on each file came, for each call."""
        return [call["from"] for call in self.calls()]


@pytest.fixture(scope="session")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Fetched:
    """The demo's data, which stand for the competition's."""
    return fetch_demo(tmp_path_factory.mktemp("salt_demo"), train=60, test=20)


@pytest.fixture
def kaggle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Kaggle:
    program = tmp_path / "bin" / "kaggle"
    program.parent.mkdir()
    program.write_text(PROGRAM.format(python=sys.executable), encoding="utf-8")
    program.chmod(0o755)
    at_home(monkeypatch, tmp_path, program.parent, USER, KEY)
    return Kaggle(tmp_path, capsys)
