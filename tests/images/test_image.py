"""Both images, really built from their submission folders."""

from __future__ import annotations

import json
import os
import re
import subprocess
import uuid
from importlib.metadata import version
from pathlib import Path

import pytest

from containers.kit.errors import UserError
from tests.images.conftest import Built, Parts, contract, inside
from workflow.scripts import image
from workflow.scripts.slipway.engine import Engine

pytestmark = pytest.mark.engine

IMPORTS = {
    "train": "import numpy, torch, SimpleITK, monai, safetensors.torch, sklearn, pandas, tqdm, torch.utils.tensorboard",
    "predict": "import numpy, torch, SimpleITK, monai, safetensors.torch, tqdm",
}
# Connecting a datagram socket sends nothing; it fails where there is no way out.
CALLS_HOME = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('192.0.2.1', 9))"


@pytest.fixture(params=["train", "predict"])
def built(request: pytest.FixtureRequest) -> Built:
    found: Built = request.getfixturevalue(request.param)
    return found


def config(engine: Engine, built: Built) -> dict[str, object]:
    return dict(json.loads(engine.ask("image", "inspect", built.tag))[0]["Config"])


def test_the_packages_work_without_network_on_a_read_only_root(built: Built, engine: Engine) -> None:
    name = built.record["image"]
    code = f"{IMPORTS[name]}; print(torch.nn.Conv3d(1, 2, 3)(torch.ones(1, 1, 4, 4, 4)).shape)"
    assert inside(engine, built.tag, "python", "-c", code) == "torch.Size([1, 2, 2, 2, 2])"


def test_torch_is_the_build_of_this_host(built: Built) -> None:
    """With torch for the CPU here, no CUDA library may have come into the image."""
    assert f"torch=={version('torch')}" in built.record["packages"]
    if version("torch").endswith("+cpu"):
        assert not [name for name in built.record["packages"] if name.startswith(("nvidia", "triton"))]


def test_the_code_is_there_and_python_is_the_environments(built: Built, engine: Engine) -> None:
    code = "import sys, containers.kit.files as f; print(sys.prefix, f.__file__)"
    assert inside(engine, built.tag, "python", "-c", code) == "/opt/venv /opt/app/containers/kit/files.py"


def test_the_user_is_not_root_and_owns_the_output_only(built: Built, engine: Engine) -> None:
    assert inside(engine, built.tag, "id", "-u") == "10001"
    user = {"train": "train", "predict": "algorithm"}[built.record["image"]]
    assert inside(engine, built.tag, "stat", "-c", "%U", "/input", "/output") == f"{user}\n{user}"
    assert inside(engine, built.tag, "find", "/opt", "-user", user) == ""
    assert inside(engine, built.tag, "find", "/opt/app", "!", "-perm", "-004") == ""


def test_no_wheel_is_left_in_the_image(built: Built, engine: Engine) -> None:
    # The base's own pip lies in /usr/share as wheels, for `python -m venv`.
    words = ("find", "/", "-xdev", "-name", "*.whl", "-not", "-path", "/usr/share/*")
    assert inside(engine, built.tag, *words, user="root") == ""
    history = engine.ask("history", "--no-trunc", "--format", "{{.CreatedBy}}", built.tag)
    assert "/wheels" not in history
    assert "/extra" not in history


def test_modules_are_compiled_ahead(train: Built, engine: Engine) -> None:
    """A read-only root keeps no bytecode, so what is not compiled in the image is compiled in every run."""
    said = inside(engine, train.tag, "python", "-v", "-c", "import torch, monai.utils")
    assert len(re.findall(r"matches /opt/venv/", said)) > 500
    assert re.findall(r"code object from '?(/opt/(?:venv|deps)/[^\s']*)\.py\b'?", said) == []


def test_the_entry_point_is_a_list_of_words(built: Built, engine: Engine) -> None:
    module = {"train": "containers.stoic.main", "predict": "containers.stoic.predict"}[built.record["image"]]
    assert config(engine, built)["Entrypoint"] == ["python", "-m", module]


def test_labels_and_record_say_what_the_image_is(built: Built, engine: Engine) -> None:
    labels, record = config(engine, built)["Labels"], built.record
    assert isinstance(labels, dict)
    base = json.loads(built.parts.base.read_text())
    assert labels["org.opencontainers.image.base.digest"] == f"sha256:{base['rootfs_sha256']}"
    assert record["base"] == {"reference": base["reference"], "image_id": base["image_id"]}
    assert record["revision"] == labels["org.opencontainers.image.revision"]
    assert record["revision"] == (built.context / "REVISION").read_text().strip()
    assert record["config_hash"] == labels["slipway.config"]
    assert record["weights_sha256"] == (labels["slipway.weights"] or None)
    assert (record["weights_sha256"] is None) == (record["image"] == "train")
    frozen = {name.partition("+")[0].lower().replace("_", "-") for name in record["packages"]}
    assert frozen == set(labels["slipway.packages"].split())
    assert record["image_id"] == engine.image_id(built.tag)
    assert record["challenge"] == "stoic"
    assert "build --network none --force-rm" in record["command"]
    assert inside(engine, built.tag, "printenv", "SLIPWAY_REVISION") == record["revision"]


def test_the_platforms_label_is_on_inference(predict: Built, engine: Engine) -> None:
    labels = config(engine, predict)["Labels"]
    assert isinstance(labels, dict)
    assert labels["nl.diagnijmegen.rse.algorithm.name"] == "STOICAlgorithm"


def test_weights_and_settings_are_baked_in(predict: Built, engine: Engine) -> None:
    assert inside(engine, predict.tag, "cat", "/opt/app/artifact/fold0.safetensors") == "weights"
    assert json.loads(inside(engine, predict.tag, "cat", "/opt/app/settings.json")) == {"train": {"lr": 1}}


def test_the_images_share_base_and_torch(train: Built, predict: Built) -> None:
    shared = [one for one, other in zip(train.record["layers"], predict.record["layers"], strict=False) if one == other]
    assert shared == train.record["layers"][:2]


def test_the_folder_alone_builds_the_same_image(predict: Built, engine: Engine, tmp_path: Path) -> None:
    """What organisers do: the folder, their engine, a plain build; here with no network at all."""
    host = engine.words[engine.words.index("--host") + 1] if "--host" in engine.words else ""
    environ = os.environ | ({"DOCKER_HOST": host} if host else {})
    subprocess.run(["bash", str(predict.context / "build.sh")], env=environ, cwd=tmp_path, check=True)
    assert engine.image_id(predict.tag) == predict.record["image_id"]


def context(folder: Path, code: str) -> Path:
    """A folder that runs `code` in its build; the engine's cache, which is blind to the network, never knows it."""
    code = f"{code} # {uuid.uuid4()}"
    (folder / "wheels" / "torch").mkdir(parents=True)
    (folder / "wheels" / "torch" / "x.whl").touch()
    (folder / "Dockerfile").write_text(f'ARG BASE=nothing\nFROM ${{BASE}}\nRUN ["python", "-c", "{code}"]\n')
    return folder


@pytest.mark.parametrize("code", [CALLS_HOME, "raise SystemExit(3)"])
def test_a_build_that_fails_or_asks_the_network_leaves_no_record(
    code: str, debian: Path, engine: Engine, parts: Parts, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = context(tmp_path / "context", code)
    record = tmp_path / "image.json"
    record.write_text("{}")
    listed = ("ps", "--all", "--quiet", "--filter", f"ancestor={json.loads(debian.read_text())['image_id']}")
    before = engine.ask(*listed)
    words = [f"--contract={contract(tmp_path)}", "--image=predict", f"--context={folder}", f"--base={debian}"]
    assert image.main([*words, f"--wheelhouse={parts.wheelhouse}", f"--output={record}"]) == 1
    said = capfd.readouterr()
    assert re.search(
        r"^error: `docker .*build --network none .*` ended with \d+; its own words stand above", said.err, re.M
    )
    assert ("Network is unreachable" in said.out + said.err) == (code == CALLS_HOME)
    assert not record.exists()
    assert engine.ask(*listed) == before


def test_without_bundled_wheels_the_build_gets_them_from_the_wheelhouse(parts: Parts, tmp_path: Path) -> None:
    assert parts.lay("train", tmp_path / "index", "--wheels=index") == 0
    whole = image.with_wheels(tmp_path / "index", parts.wheelhouse)
    assert parts.lay("train", tmp_path / "bundled") == 0
    skipped = {"build.sh"}  # says whether it needs a network
    for path in (tmp_path / "bundled").rglob("*"):
        if path.is_file() and path.name not in skipped:
            assert (whole / path.relative_to(tmp_path / "bundled")).read_bytes() == path.read_bytes()
    assert not list((tmp_path / "index").rglob("*.whl"))


def test_a_recipe_that_takes_no_wheels_is_built_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM base\nCOPY requirements.txt ./\n# COPY wheels/torch/ /wheels/\n")
    assert image.with_wheels(tmp_path, None) == tmp_path


def test_a_recipe_that_takes_wheels_needs_their_record(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM base\nCOPY --chown=0:0 wheels/extra/ /extra/\n")
    with pytest.raises(UserError, match=r"Dockerfile takes wheels, and none lie in .*; give --wheelhouse"):
        image.with_wheels(tmp_path, None)


def test_a_folder_without_a_dockerfile_is_refused(
    parts: Parts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [f"--contract={contract(tmp_path)}", "--image=train", f"--context={tmp_path}", f"--base={parts.base}"]
    assert image.main([*words, f"--wheelhouse={parts.wheelhouse}", f"--output={tmp_path / 'image.json'}"]) == 1
    assert "has no Dockerfile; make the folder with workflow.scripts.submission" in capsys.readouterr().err
