"""The template's own scripts and Dockerfile: words to a made-up engine; and a real image, built with no network.

The real one stands on the Debian base with stand-ins for the tools, and its architecture wants no packages.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agrigaia_package.conftest import edited, make
from tests.processes import ROOT
from workflow.scripts import base
from workflow.scripts.slipway.engine import Engine, find

TAG = "slipway/slipway-test-tiny"
GROUND = "slipway-test-agrigaia-ground"
TOOLS = "curl fusermount jq kmod s3fs tree wget xmllint"
SETUP = """
from pathlib import Path
from config import finalize_config, load_config
finalize_config(load_config(), {"names": sorted(path.name for path in Path("/minio/datasets/1").iterdir())})
"""
TRAIN = """
import sys
from pathlib import Path
print("Executing your training code in train.py::__main__")
Path("/train/model.pt").write_text(" ".join(sys.argv[1:]))
"""
ENGINE = """#!/usr/bin/env bash
printf '%s\\n' "$*" >> "$CALLS"
case "$*" in *memlock*entrypoint*) exit "$REFUSED" ;; "image inspect"*) exit "$MISSING" ;; esac
"""


@pytest.fixture
def minio(tmp_path: Path) -> Path:
    folder = tmp_path / "my data" / "datasets" / "1"
    folder.mkdir(parents=True)
    (folder / "field 1.jpg").touch()
    return tmp_path / "my data"


def run(script: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    known = {**os.environ, **environment}
    return subprocess.run([script, *words], cwd=script.parent.parent, env=known, capture_output=True, text=True)


def asked(script: Path, *words: str, refused: int = 0, missing: int = 0, **more: str) -> tuple[int, str, list[str]]:
    """Status, errors, and what a made-up engine was asked."""
    folder = script.parents[1] / "fake"
    folder.mkdir(exist_ok=True)
    (folder / "docker").write_text(ENGINE)
    (folder / "docker").chmod(0o755)
    calls = folder / "calls"
    calls.unlink(missing_ok=True)
    answers = {"CALLS": str(calls), "REFUSED": str(refused), "MISSING": str(missing)}
    done = run(script, *words, **{"PATH": f"{folder}:/usr/bin:/bin", **answers, **more})
    return done.returncode, done.stderr, calls.read_text().splitlines()


def test_the_words_are_those_of_the_platforms_local_run(tmp_path: Path, minio: Path) -> None:
    assert make(tmp_path / "t", "detector") == 0
    tag = "slipway/slipway-detector"
    status, said, calls = asked(tmp_path / "t" / "run.sh", "my data", "out")
    assert (status, said) == (0, "no GPU here, so without --gpus\n")
    limits = "--ulimit memlock=-1 --ulimit stack=67108864"
    volumes = f"--volume {minio}:/minio:ro --volume {tmp_path}/out:/train {tag}"
    assert calls[-1] == f"run --rm --ipc host --shm-size 8g {limits} --env DATASET_ID=1 {volumes}"
    assert (tmp_path / "out").is_dir()
    (minio / "datasets" / "2").mkdir()
    status, said, calls = asked(tmp_path / "t" / "run.sh", "my data", "out", refused=1, DATASET_ID="2")
    assert (status, said.splitlines()[0]) == (0, f"this engine refuses {limits}, so without")
    assert calls[-1] == f"run --rm --ipc host --shm-size 8g --env DATASET_ID=2 {volumes}"
    (tmp_path / "fake" / "nvidia-smi").touch(mode=0o755)
    status, said, calls = asked(tmp_path / "t" / "run.sh", "my data", "out")
    assert (status, said) == (0, "")
    assert f'{limits} --gpus "device=0" --env NVIDIA_VISIBLE_DEVICES=0 --env DATASET_ID=1' in calls[-1]
    status, said, calls = asked(tmp_path / "t" / "run.sh", "my data", "new", missing=1)
    assert (status, said) == (2, "error: the image is not there; ./build.sh makes it\n")
    assert not (tmp_path / "new").exists()
    status, _, calls = asked(tmp_path / "t" / "build.sh", "--build-arg", "BASE=x")
    assert (status, calls) == (0, [f"build --tag {tag} --build-arg BASE=x {tmp_path}/t"])


@pytest.fixture(scope="session")
def engine() -> Engine:
    return find()


@pytest.fixture(scope="session")
def ground(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Python with pip, and programs by the tools' names that do nothing."""
    folder = tmp_path_factory.mktemp("agrigaia_ground")
    words = ["--base=debian", f"--cache={ROOT / 'scratch' / 'containers'}", f"--output={folder / 'base.json'}"]
    assert base.main(words) == 0
    reference = json.loads((folder / "base.json").read_text())["reference"]
    lines = [f"FROM {reference}", "RUN python -m venv /opt/venv", "ENV PATH=/opt/venv/bin:$PATH"]
    lines += [f"RUN for tool in {TOOLS}; do echo '#!/bin/sh' > /usr/bin/$tool; chmod 755 /usr/bin/$tool; done"]
    (folder / "Dockerfile").write_text("\n".join(lines) + "\n")
    engine.run("build", "--network", "none", "--tag", GROUND, str(folder))
    yield GROUND
    engine.run("image", "rm", "--force", GROUND, TAG, check=False)


@pytest.mark.engine
@pytest.mark.usefixtures("minio")
def test_it_builds_and_runs_with_no_network_where_everything_is_there(
    tmp_path: Path, own: Path, ground: str, engine: Engine
) -> None:
    (own / "setup.py").write_text(SETUP)
    (own / "train.py").write_text(TRAIN)
    (own / "requirements.txt").write_text("# none\n")
    edited(own / "presets.json", title="two words; $HOME")
    assert make(tmp_path / "t", own, named={"provider": "slipway-test", "architecture": "tiny"}) == 0
    (tmp_path / "t" / "minio").mkdir()
    (tmp_path / "t" / "minio" / "not_for_the_image.py").touch()
    legacy = {"DOCKER_BUILDKIT": "0"}  # as docker-py builds
    words = ["--network", "none", "--build-arg", f"BASE={ground}"]
    done = run(tmp_path / "t" / "build.sh", *words, **legacy)
    assert done.returncode == 0, done.stdout + done.stderr
    labels = json.loads(engine.ask("image", "inspect", TAG))[0]["Config"]["Labels"]
    assert labels["org.opencontainers.image.base.name"] == ground
    assert len(labels["slipway.config"]) == 16
    assert (labels["slipway.weights"], labels["slipway.packages"]) == ("", "")
    listed = engine.ask("run", "--rm", "--network", "none", "--entrypoint", "ls", TAG, "-A", "/workspace").splitlines()
    assert {".env", "args.py", "config.py", "folders.py", "export_config.json", "train_config.json"} <= set(listed)
    assert not {"minio", "README.md", "Dockerfile", "custom.json"} & set(listed)
    user = engine.ask("run", "--rm", "--network", "none", "--entrypoint", "cat", TAG, "/etc/fuse.conf")
    assert user.splitlines().count("user_allow_other") == 1

    done = run(tmp_path / "t" / "run.sh", "my data", "out")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Executing your training code in train.py::__main__\n" in done.stdout
    given = (tmp_path / "out" / "model.pt").read_text()
    assert given.endswith("--title two words; $HOME --names field 1.jpg")
    done = run(tmp_path / "t" / "build.sh", *words, **legacy)
    assert "Using cache" in done.stdout
