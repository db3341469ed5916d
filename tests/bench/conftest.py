"""A contract with tight limits, a fake engine, and a tiny image for the real one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from workflow.scripts import test as command
from workflow.scripts.slipway.engine import Engine, find

FAKE = Path(__file__).parents[1] / "fake_docker"
BASE = "slipway-test-base"
SUBJECT = "slipway-test-subject"
FAKE_ID = "sha256:" + "f" * 64
ANSWERS: dict[str, Any] = {
    "info": {"NCPU": 4, "MemTotal": 8 << 30, "CgroupVersion": "2", "Runtimes": {"runc": {}}},
    "image_id": FAKE_ID,
    "user": "10001",
    "state": {"StartedAt": "2026-01-01T00:00:00Z", "ExitCode": 0, "OOMKilled": False, "Pid": 0, "Error": ""},
    "writes": {"probability-covid-19.json": "0.25", "probability-severe-covid-19.json": "0.5"},
    "says": "All done.",
}
FLAGS: dict[str, Any] = {
    "memory": "64m",
    "memory_swap": "64m",
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "network": "none",
    "shm_size": "2m",
    "pids_limit": 24,
}


def contract_values() -> dict[str, Any]:
    strict = {**FLAGS, "read_only": True, "tmpfs": ["/tmp:size=1m"], "non_root": True}
    subject = {
        "tag": "subject",
        "archive": "Subject",
        "dockerfile": "Dockerfile",
        "entrypoint": "subject",
        "success_line": "All done.",
        "mounts": {
            "input": {"target": "/input/", "mode": "ro"},
            "output": {"target": "/output/", "mode": "rw", "emptied": True},
        },
        "hardware": {},
        "time_limit": 20,
        "output_check": "containers.stoic.outputs:check_predict",
        "profiles": {"organisers": dict(FLAGS), "strict": strict},
    }
    return {"images": {"subject": subject}}


@dataclass
class Trial:
    """A folder with all that the command needs; change `values` before calling it."""

    folder: Path
    image_id: str
    values: dict[str, Any] = field(default_factory=contract_values)

    @property
    def image(self) -> dict[str, Any]:
        found: dict[str, Any] = self.values["images"]["subject"]
        return found

    @property
    def output(self) -> Path:
        return self.folder / "output"

    @property
    def verdict_file(self) -> Path:
        return self.folder / "verdict.json"

    @property
    def verdict(self) -> dict[str, Any]:
        return dict(json.loads(self.verdict_file.read_text(encoding="utf-8")))

    def words(self, *more: str, mode: str = "ok", profiles: tuple[str, ...] = ("organisers",)) -> list[str]:
        (self.folder / "input").mkdir(exist_ok=True)
        (self.folder / "input" / "mode").write_text(mode, encoding="utf-8")
        (self.folder / "contract.yaml").write_text(yaml.safe_dump(self.values), encoding="utf-8")
        record = {"challenge": "trial", "image": "subject", "tag": "subject", "image_id": self.image_id}
        (self.folder / "image.json").write_text(json.dumps(record), encoding="utf-8")
        mounts = [f"--mount=input={self.folder / 'input'}", f"--mount=output={self.output}"]
        paths = {"contract": "contract.yaml", "record": "image.json", "log-dir": "logs", "verdict": "verdict.json"}
        flags = [f"--{flag}={self.folder / name}" for flag, name in paths.items()]
        return [*flags, "--image=subject", "--profile", *profiles, *mounts, *more]

    def test(self, *more: str, mode: str = "ok", profiles: tuple[str, ...] = ("organisers",)) -> int:
        return command.main(self.words(*more, mode=mode, profiles=profiles))

    def check(self, name: str, run: int = 0) -> dict[str, Any]:
        return next(check for check in self.verdict["runs"][run]["checks"] if check["name"] == name)


@dataclass
class FakeDocker:
    folder: Path

    def answer(self, **changes: Any) -> None:
        (self.folder / "answers.json").write_text(json.dumps({**ANSWERS, **changes}), encoding="utf-8")

    @property
    def calls(self) -> list[list[str]]:
        lines = (self.folder / "calls.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def run_words(self) -> list[str]:
        return next(call for call in self.calls if call[0] == "run")


@pytest.fixture
def fake_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDocker:
    folder = tmp_path / "fake"
    folder.mkdir()
    monkeypatch.setenv("FAKE_DOCKER", str(folder))
    monkeypatch.setenv("PATH", f"{FAKE}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SLIPWAY_GPUS", "")
    monkeypatch.setenv("SLIPWAY_LEASES", str(tmp_path / "leases"))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    fake = FakeDocker(folder)
    fake.answer()
    return fake


@pytest.fixture
def trial(tmp_path: Path, fake_docker: FakeDocker) -> Trial:
    assert fake_docker.folder.is_dir()
    return Trial(tmp_path, FAKE_ID)


@pytest.fixture(scope="session")
def engine() -> Engine:
    return find()


@pytest.fixture(scope="session")
def base(engine: Engine) -> str:
    """Debian with Python, made once and kept, since it takes half a minute."""
    if engine.image_id(BASE) is None:
        make = ["mmdebstrap", "--variant=minbase", "--include=python3", "bookworm", "-"]
        with subprocess.Popen(make, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as rootfs:
            subprocess.run(engine.command("import", "-", BASE), stdin=rootfs.stdout, check=True)
        assert rootfs.returncode == 0
    return BASE


@pytest.fixture(scope="session")
def subject_id(engine: Engine, base: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    context = tmp_path_factory.mktemp("subject")
    shutil.copy(Path(__file__).with_name("subject.py"), context)
    lines = [
        f"FROM {base}",
        "COPY subject.py /opt/subject.py",
        "RUN mkdir /input /output && chown 10001 /output",
        "USER 10001",
        'ENTRYPOINT ["python3", "/opt/subject.py"]',
    ]
    (context / "Dockerfile").write_text("\n".join(lines), encoding="utf-8")
    subprocess.run(engine.command("build", "--quiet", "--network", "none", "--tag", SUBJECT, str(context)), check=True)
    found = engine.image_id(SUBJECT)
    assert found
    return found


@pytest.fixture
def real(tmp_path: Path, subject_id: str) -> Trial:
    return Trial(tmp_path, subject_id)


@pytest.fixture
def left(engine: Engine) -> Callable[[], list[str]]:
    """What this very process has left with the engine: containers and volumes."""

    def names() -> list[str]:
        ours = f"-{os.getpid()}-"
        found = engine.ask("ps", "--all", "--format", "{{.Names}}").splitlines()
        found += engine.ask("volume", "ls", "--format", "{{.Name}}").splitlines()
        return [name for name in found if name.startswith("slipway-") and ours in name]

    return names
