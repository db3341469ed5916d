"""What was written runs: the template by hand, without a container; the package as the platform puts it together."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import onnxruntime
import pytest
import torch

from tests.agrigaia_package.conftest import QUICK, make
from tests.agrigaia_package.stand_ins import PLATFORMS
from tests.agrigaia_train.workspaces import plots, run, score
from workflow.scripts.agrigaia import fetch, lay_out

TRAIN = 'eval "python train.py $(python config_to_args.py)"'


def content(path: Path) -> Any:
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def minio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What fetch and lay_out make of the demo."""
    folder = tmp_path_factory.mktemp("agrigaia_minio")
    words = ["--source", "demo", "--demo", '{"pictures": 12}', "--scratch", str(folder), "--workers", "1"]
    assert fetch.main([*words, "--manifest", str(folder / "manifest.json")]) == 0
    words = ["--manifest", str(folder / "manifest.json"), "--folder", str(folder / "minio")]
    assert lay_out.main([*words, "--output", str(folder / "minio.json")]) == 0
    return Path(content(folder / "minio.json")["root"])


def test_the_template_runs_by_hand_as_it_lies_there(tmp_path: Path, minio: Path) -> None:
    folder = tmp_path / "two words"
    assert make(folder, "efficientnet", **QUICK) == 0
    chosen = content(folder / "train_config.json")
    done = run(folder, "/bin/bash", "docker-entrypoint.sh", "$@", AGRIGAIA_MINIO=str(minio / "datasets"))
    assert done.returncode == 0, done.stdout
    assert "Executing your training code in train.py::__main__\n" in done.stdout
    found = score(done.stdout, content(folder / "custom.json")["score_regexp"])
    assert found is not None
    assert 0 <= found <= 1
    after = content(folder / "train_config.json")
    assert {key: after[key] for key in chosen} == chosen
    session = onnxruntime.InferenceSession(str(folder / "out" / "model.onnx"))
    assert [(one.name, one.shape) for one in session.get_inputs()] == [("pixels", [1, 3, 64, 64])]
    assert torch.load(folder / "out" / "model.pt", weights_only=True)["facts"]["img-size"] == 64


@pytest.fixture(scope="module")
def installed(zipped: Path, detector: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build context of the platform: the architecture's folder of the package, and files of its own."""
    folder = tmp_path_factory.mktemp("agrigaia_installed") / "context"
    folder.mkdir()
    with zipfile.ZipFile(zipped) as archive:
        for name in archive.namelist():
            if re.search("/(config|docker)/[^/]+$", name):
                (folder / Path(name).name).write_bytes(archive.read(name))
    for name, text in PLATFORMS.items():
        assert not (folder / name).exists()
        (folder / name).write_text(text)
    shutil.copy(detector / "train_config.json", folder)
    shutil.copy(detector / "export_config.json", folder)
    plots(folder, 10)
    return folder


def test_the_platforms_own_files_may_stand_in_for_ours(installed: Path) -> None:
    done = run(installed, "/bin/bash", "-c", f"python setup.py && {TRAIN}")
    assert done.returncode == 0, done.stdout
    config = content(installed / "train_config.json")
    assert config["data"] == str(installed / "datasets" / "dataset.yaml")
    assert (config["output-dir"], config["epochs"]) == (str(installed / "out"), 1)
    assert f"the platform exports {installed}/out/model.pt as .pt\n" in done.stdout
    assert score(done.stdout, content(installed / "custom.json")["score_regexp"]) is not None
    weights = torch.load(installed / "out" / "model.pt", weights_only=True)
    assert weights["facts"]["classes"] == ["beet", "maize", "thistle"]
    assert not list((installed / "out").glob("*.onnx"))

    # Its exporter may want packages that are not here; the model is there all the same, and no other is taken for it.
    (installed / "export.py").write_text("import slipway_has_no_such_package\n")
    (installed / "out" / "model.onnx").write_text("of an earlier run")
    done = run(installed, "/bin/bash", "-c", TRAIN)
    assert done.returncode == 0, done.stdout
    said = (
        "ONNX: export.py cannot be used (No module named 'slipway_has_no_such_package'), so the model is there as .pt "
    )
    assert said in done.stdout
    assert not (installed / "out" / "model.onnx").exists()
    assert score(done.stdout, content(installed / "custom.json")["score_regexp"]) is not None
