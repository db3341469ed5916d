"""A template whose programs take no time: they count epochs, and do what a test wants."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.agrigaia_score import left
from workflow.scripts.agrigaia import train_here

SETUP = """
import json, os, pathlib
config = json.loads(pathlib.Path("train_config.json").read_text())
presets = json.loads(pathlib.Path("presets.json").read_text())
data = pathlib.Path(os.environ["AGRIGAIA_MINIO"], os.environ["DATASET_ID"])
print("pictures:", len(list(data.rglob("*.jpg"))), os.environ["OMP_NUM_THREADS"], os.environ.get("WORD", ""))
presets["output-dir"] = os.environ["AGRIGAIA_TRAIN"]
pathlib.Path("train_config.json").write_text(json.dumps({**config, **presets}))
"""
TO_ARGS = """
import json, pathlib, shlex
config = json.loads(pathlib.Path("train_config.json").read_text())
print(" ".join(f"--{key} {shlex.quote(str(value))}" for key, value in config.items()))
"""
TRAIN = """
import pathlib, sys
options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
out = pathlib.Path(options["--output-dir"])
count = out / "checkpoint"
done = int(count.read_text()) if count.is_file() else 0
print(f"begins after {done} of {options['--epochs']}; {options['--name']}")
for epoch in range(done, int(options["--epochs"])):
    count.write_text(str(epoch + 1))
    print("epoch", epoch + 1)
(out / "best").mkdir(exist_ok=True)
(out / "best" / "net.pt").write_bytes(b"weights")
"""


@dataclass(frozen=True)
class Host:
    """Where one test trains."""

    folder: Path

    @property
    def template(self) -> Path:
        return self.folder / "template"

    @property
    def artifact(self) -> Path:
        return self.folder / "artifact"

    @property
    def words(self) -> list[str]:
        words = ["--template", str(self.template), "--manifest", str(self.folder / "manifest.json"), "--threads", "1"]
        return [*words, "--work", str(self.folder / "work"), "--output", str(self.artifact)]

    def train(self, *more: str) -> int:
        return train_here.main([*self.words, *more])

    @property
    def work(self) -> Path:
        """Of the one template that was trained."""
        found = list((self.folder / "work").iterdir())
        assert len(found) == 1
        return found[0]

    @property
    def card(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.artifact / "card.json").read_text())
        return content


def host(folder: Path, **files: str) -> Host:
    """`files` replace programs, by their names without .py."""
    left.trial(folder)
    one = Host(folder)
    left.write(one.template / "custom.json", {"model_filepath": "/train/best/net.pt", "score_name": "a"})
    left.write(one.template / "presets.json", {"output-dir": "/train", "images-dir": "/datasets/images"})
    left.write(one.template / "train_config.json", {"epochs": 3, "name": "it's a name"})
    left.write(one.template / ".env", "WORD='two words'\r\nDATASET_ID=99\r\n")
    left.write(one.template / "README.md", "how")
    for name, text in {"setup": SETUP, "config_to_args": TO_ARGS, "train": TRAIN, **files}.items():
        left.write(one.template / f"{name}.py", text)
    return one
