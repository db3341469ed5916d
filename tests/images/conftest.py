"""Wheels and a base that are made up, for the logic; and both images really built, once, from real ones."""

from __future__ import annotations

import json
import re
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from workflow.scripts import base, image, submission, wheels
from workflow.scripts.slipway.engine import Engine, find

ROOT = Path(__file__).resolve().parents[2]
STOIC = ROOT / "containers" / "stoic"
# The workflow's own folders, so that what it made is used here, and what is made here is used by it.
CACHE = ROOT / "scratch" / "containers"
ENTRY = "containers.kit.files"


def contract(folder: Path) -> Path:
    """STOIC's contract with tags of its own, so that no image of a user is replaced."""
    path = folder / "stoic" / "contract.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(re.sub(r"tag: (stoic\w+)", r"tag: slipway-test/\1", (STOIC / "contract.yaml").read_text()))
    return path


@dataclass(frozen=True)
class Parts:
    """What a submission folder is made of; `lay` makes one."""

    folder: Path
    base: Path
    wheelhouse: Path
    artifact: Path

    def words(self, name: str, output: Path, *more: str) -> list[str]:
        files = {"base": self.base, "wheelhouse": self.wheelhouse, "contract": contract(self.folder), "output": output}
        words = [f"--image={name}", f"--dockerfile={STOIC / f'{name}.Dockerfile'}"]
        words += [f"--{flag}={path}" for flag, path in files.items()]
        words += ["--entry", ENTRY, "--artifact", *([str(self.artifact)] if name == "predict" else [])]
        return [*words, *more]

    def lay(self, name: str, output: Path, *more: str, settings: str = '{"train": {"lr": 1}}') -> int:
        return submission.main(self.words(name, output, f"--settings={settings}", *more))


def make_artifact(folder: Path) -> Path:
    folder.mkdir()
    (folder / "model.json").write_text('{"folds": []}\n')
    (folder / "fold0.safetensors").write_bytes(b"weights")
    (folder / ".snakemake_timestamp").touch()
    return folder


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    """A public base and two empty wheels: enough to lay out a folder, no engine asked."""
    house = tmp_path / "house"
    for part, name in (("torch", "torch-2.0"), ("extra", "tqdm-4.0")):
        (house / part).mkdir(parents=True)
        (house / part / f"{name}-py3-none-any.whl").write_bytes(name.encode())
        (house / part / f"{part}.txt").write_text(name.replace("-", "==") + "\n")
    said = {"folder": str(house), "torch": {"packages": ["torch==2.0"]}, "extra": {"packages": ["tqdm==4.0"]}}
    (tmp_path / "house.json").write_text(json.dumps(said))
    reference = {"kind": "public", "reference": "python:3.11@sha256:ab", "image_id": "sha256:cd", "suite": None}
    (tmp_path / "base.json").write_text(json.dumps(reference))
    artifact = make_artifact(tmp_path / "artifact")
    return Parts(tmp_path, tmp_path / "base.json", tmp_path / "house.json", artifact)


@dataclass(frozen=True)
class Index:
    """A folder of wheels that stands in for a package index."""

    folder: Path

    def add(self, name: str, version: str, *needs: str, tag: str = "py3-none-any") -> Path:
        lines = [
            "Metadata-Version: 2.1",
            f"Name: {name}",
            f"Version: {version}",
            *(f"Requires-Dist: {n}" for n in needs),
        ]
        inside = f"{name}-{version}.dist-info"
        path = self.folder / f"{name}-{version}-{tag}.whl"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"{inside}/METADATA", "\n".join(lines) + "\n")
            archive.writestr(f"{inside}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
            archive.writestr(f"{inside}/RECORD", "")
        return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return Index(folder)


@pytest.fixture(scope="session")
def engine() -> Engine:
    return find()


@dataclass(frozen=True)
class Built:
    parts: Parts
    context: Path
    record: dict[str, Any]

    @property
    def tag(self) -> str:
        return str(self.record["tag"])


@pytest.fixture(scope="session")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """base.json of the real debian base."""
    path = tmp_path_factory.mktemp("base") / "base.json"
    assert base.main(["--base=debian", f"--cache={CACHE}", f"--output={path}"]) == 0
    return path


@pytest.fixture(scope="session")
def build(debian: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Built]:
    """Build an image of real wheels on the real base; with the engine's cache that takes seconds."""
    made: dict[str, Built] = {}

    def built(name: str) -> Built:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            house, record = CACHE / "tests" / f"{name}.json", folder / "image.json"
            words = [f"--lock={ROOT / 'envs' / 'lock.txt'}", f"--common={ROOT / 'containers/kit/requirements.txt'}"]
            words += [
                f"--extra={STOIC / f'requirements-{name}.txt'}",
                f"--cache={CACHE / 'wheels'}",
                f"--output={house}",
            ]
            assert wheels.main(words) == 0
            parts = Parts(folder, debian, house, make_artifact(folder / "artifact"))
            assert parts.lay(name, folder / "context") == 0
            words = [f"--image={name}", f"--contract={contract(folder)}", f"--context={folder / 'context'}"]
            assert image.main([*words, f"--base={debian}", f"--wheelhouse={house}", f"--output={record}"]) == 0
            made[name] = Built(parts, folder / "context", json.loads(record.read_text()))
        return made[name]

    return built


@pytest.fixture(scope="session")
def train(build: Callable[[str], Built]) -> Built:
    return build("train")


@pytest.fixture(scope="session")
def predict(build: Callable[[str], Built]) -> Built:
    return build("predict")


def inside(engine: Engine, tag: str, *words: str, user: str = "") -> str:
    """What a command says in a container that has no network and can write nowhere but /tmp."""
    flags = ["--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp", "--entrypoint", words[0]]
    flags += ["--user", user] if user else []
    done = subprocess.run(
        engine.command("run", *flags, tag, *words[1:]),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout.strip()
