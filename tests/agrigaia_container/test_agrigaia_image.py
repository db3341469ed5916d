"""The real ground on the real base, and an image that the template's recipe builds on it without a network."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.images.conftest import CACHE, ROOT, inside
from tests.images.conftest import debian as debian  # a fixture, as is the next
from tests.images.conftest import engine as engine
from workflow.scripts import image, wheels
from workflow.scripts.agrigaia import ground
from workflow.scripts.slipway.engine import Engine

pytestmark = pytest.mark.engine

AGRIGAIA = ROOT / "containers" / "agrigaia"
TAG = "slipway-test/agrigaia"


@pytest.fixture(scope="module")
def record(debian: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    house, record = CACHE / "tests" / "agrigaia.json", tmp_path_factory.mktemp("ground") / "ground.json"
    words = [f"--lock={ROOT / 'envs' / 'lock.txt'}", f"--extra={AGRIGAIA / 'requirements.txt'}"]
    assert wheels.main([*words, f"--cache={CACHE / 'wheels'}", f"--output={house}"]) == 0
    words = [f"--base={debian}", f"--wheelhouse={house}", f"--cache={CACHE}", f"--output={record}"]
    assert ground.main(words) == 0
    return record


def context(folder: Path) -> Path:
    """The template's recipe and packages, and an empty file for each that it copies by name."""
    folder.mkdir()
    text = (AGRIGAIA / "Dockerfile").read_text()
    for names in re.findall(r"^COPY (.*) \S+$", text, re.MULTILINE):
        for name in names.split():
            if "*" not in name:
                (folder / name).write_text("")
    shutil.copy(AGRIGAIA / "requirements.txt", folder)
    shutil.copy(AGRIGAIA / "Dockerfile", folder)
    return folder


def built(folder: Path, record: Path, output: Path) -> dict[str, Any]:
    words = ["--image=train", f"--contract={AGRIGAIA / 'contract.yaml'}", f"--name=tag={TAG}", f"--context={folder}"]
    assert image.main([*words, f"--base={record}", f"--output={output}"]) == 0
    return dict(json.loads(output.read_text()))


def test_the_ground_has_tools_packages_and_pip(record: Path, engine: Engine) -> None:
    tag = json.loads(record.read_text())["reference"]
    code = "import sys, torch, onnxruntime, sklearn, boto3, defusedxml; print(sys.prefix, torch.ones(2).sum().item())"
    assert inside(engine, tag, "python", "-c", code).splitlines()[-1] == "/opt/venv 2.0"  # onnxruntime may say more
    loop = "for tool in pip s3fs fusermount jq xmllint curl tree wget kmod; do command -v $tool; done"
    found = inside(engine, tag, "sh", "-c", loop).splitlines()
    assert (found[0], len(found)) == ("/opt/venv/bin/pip", 9)
    left = ("find", "/", "-xdev", "-name", "*.whl", "-not", "-path", "/usr/share/*")
    assert inside(engine, tag, *left, user="root") == ""
    assert inside(engine, tag, "find", "/opt/venv", "-path", "*/torch/test", "-prune") == ""


def test_the_templates_recipe_builds_on_it_without_network_and_twice(
    record: Path, engine: Engine, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = context(tmp_path / "template")
    first = built(folder, record, tmp_path / "image.json")
    said = capfd.readouterr()
    assert "Collecting" not in said.out + said.err
    assert "Downloading" not in said.out + said.err
    assert "build --network none --force-rm" in first["command"]
    assert f"--build-arg BASE={json.loads(record.read_text())['reference']}" in first["command"]
    assert first["base"]["image_id"] == json.loads(record.read_text())["image_id"]
    assert any(package.startswith("torch==2") for package in first["packages"])
    assert inside(engine, TAG, "sh", "-c", "grep -c ^user_allow_other /etc/fuse.conf") == "1"
    assert built(folder, record, tmp_path / "again.json") == first


def test_an_image_without_labels_is_recorded(record: Path, tmp_path: Path) -> None:
    folder = tmp_path / "context"
    folder.mkdir()
    (folder / "Dockerfile").write_text("ARG BASE=nothing\nFROM ${BASE}\n")
    said = built(folder, record, tmp_path / "image.json")
    assert (said["revision"], said["config_hash"], said["weights_sha256"]) == ("", "", None)
