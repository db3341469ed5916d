"""The template's folder: what is in it, what its Dockerfile takes, and what is refused."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.agrigaia_package.conftest import error, make
from tests.processes import ROOT
from workflow.scripts.agrigaia import template
from workflow.scripts.agrigaia.architectures import AGRIGAIA, SHIPPED
from workflow.scripts.base import PUBLIC
from workflow.scripts.slipway.revision import revision

CONTRACT = {
    *("config.py", "config_to_args.py", "dataset.py", "docker-entrypoint.sh", "mount-s3.sh", "cvat_dataset.py"),
    *("export.py", "setup.py", "train.py", "args.py", "Dockerfile", "requirements.txt", ".env", "config.jsonschema"),
    *("presets.json", "custom.json", "train_config.json", "export_config.json", "export.jsonschema"),
}
HANDS = {"README.md", "build.sh", "run.sh", ".dockerignore"}


def content(path: Path) -> Any:
    return json.loads(path.read_text())


@pytest.mark.parametrize("name", ["efficientnet", "detector"])
def test_all_of_the_contracts_files_lie_side_by_side(tmp_path: Path, name: str) -> None:
    assert make(tmp_path / "t", name, epochs=7, img_size=96) == 0
    there = {path.name: path for path in (tmp_path / "t").iterdir()}
    assert there.keys() >= CONTRACT | HANDS
    assert all(path.is_file() for path in there.values())
    modes = {name: path.stat().st_mode & 0o777 for name, path in there.items()}
    assert {name for name, mode in modes.items() if mode == 0o755} == {name for name in there if name.endswith(".sh")}
    assert set(modes.values()) == {0o755, 0o644}
    schema = content(SHIPPED / name / "config.jsonschema")
    defaults = {key: value["default"] for key, value in schema["properties"].items()}
    assert content(there["train_config.json"]) == {**defaults, "epochs": 7, "img-size": 96}
    usual = content(SHIPPED / name / "export_config.json")
    assert content(there["export_config.json"]) == {**usual, "input_shapes": [[1, 3, 96, 96]]}
    assert there["train.py"].read_bytes() == (SHIPPED / name / "train.py").read_bytes()
    assert not list(tmp_path.glob(".*"))


def test_the_dockerfile_takes_every_file_that_runs_and_names_the_public_base(detector: Path) -> None:
    text = (detector / "Dockerfile").read_text()
    assert f"\nARG BASE={PUBLIC}\nFROM ${{BASE}} AS base\n" in text
    assert 'ENTRYPOINT ["/bin/bash", "/docker-entrypoint.sh"]\nCMD ["$@"]\n' in text
    copied = [line.split()[1:-1] for line in text.splitlines() if line.startswith("COPY ")]
    taken = {path.name for patterns in copied for pattern in patterns for path in detector.glob(pattern)}
    assert all(list(detector.glob(pattern)) for patterns in copied for pattern in patterns)
    form = {"config.jsonschema", "custom.json", "export.jsonschema"}
    assert {path.name for path in detector.iterdir()} - taken == {"Dockerfile", "architecture.json", *form, *HANDS}
    found = dict(re.findall(r'^ARG ([A-Z0-9_]+)="(.*)"$', text, re.MULTILINE))
    assert found.pop("REVISION") == revision(ROOT)
    assert re.fullmatch(r"[0-9a-f]{16}", found.pop("CONFIG_HASH"))
    assert "torch==" in found.pop("PACKAGES")
    assert found == {"TORCH_CUDA_INDEX": "", "WEIGHTS_SHA256": ""}


def test_the_hash_of_the_configuration_follows_it(tmp_path: Path) -> None:
    hashes = set()
    for number, train in enumerate(({}, {"epochs": 2}, {"epochs": 2})):
        assert make(tmp_path / str(number), "detector", onnx=number < 2, **train) == 0
        hashes.add(re.findall(r"ARG CONFIG_HASH=(.*)", (tmp_path / str(number) / "Dockerfile").read_text())[0])
    assert len(hashes) == 3


def test_without_onnx_nothing_is_exported(tmp_path: Path) -> None:
    assert make(tmp_path / "t", "efficientnet", onnx=False) == 0
    assert content(tmp_path / "t" / "export_config.json") == {}


def test_an_architecture_without_a_form_in_onnx_is_told(
    tmp_path: Path, own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (own / "export_config.json").write_text("{}")
    said = error(capsys, make(tmp_path / "t", own))
    assert said == (
        f"{own}/export_config.json is empty, so the model has no form in ONNX; fill it in, or set "
        "challenges.agrigaia.onnx to false"
    )
    assert make(tmp_path / "t", own, onnx=False) == 0
    assert not (tmp_path / "t" / "export_config.json").read_text().strip("{}\n")


def test_other_inputs_than_pictures_keep_their_shapes(tmp_path: Path, own: Path) -> None:
    form = content(own / "export_config.json")
    shapes = [[1, 3, 300, 300], [1, 1, 10, 300]]
    (own / "export_config.json").write_text(json.dumps({**form, "input_shapes": shapes, "input_types": ["int8"] * 2}))
    assert make(tmp_path / "t", own, img_size=80) == 0
    assert content(tmp_path / "t" / "export_config.json")["input_shapes"] == [[1, 3, 80, 80], [1, 1, 10, 300]]


def test_files_of_ones_own_stand_in_for_the_usual_ones(tmp_path: Path, own: Path) -> None:
    (own / ".env").write_text("S3_MODE=sync\n")
    (own / "requirements.txt").write_text("torch==2.13.0 # and no more\n\n# but this\nnumpy==2.4.6\n")
    (own / "anchors.py").write_text("SIZES = (1, 2)\n")
    assert make(tmp_path / "t", own) == 0
    assert (tmp_path / "t" / ".env").read_text() == "S3_MODE=sync\n"
    assert (tmp_path / "t" / "anchors.py").is_file()
    assert '\nARG PACKAGES="torch==2.13.0 numpy==2.4.6"\n' in (tmp_path / "t" / "Dockerfile").read_text()


def test_a_dockerfile_of_ones_own_has_slipways_words(
    tmp_path: Path, own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (own / "Dockerfile").write_text("FROM python:3.11\n")
    assert error(capsys, make(tmp_path / "t", own)).startswith(f"{own}/Dockerfile must have the lines `ARG BASE=...`")
    (own / "Dockerfile").unlink()
    (own / "build.sh").write_text("")
    (own / "Dockerfile").write_text((AGRIGAIA / "Dockerfile").read_text())
    said = f"{own}/build.sh has the name of a file that is made; rename it"
    assert error(capsys, make(tmp_path / "t", own)) == said
    assert not (tmp_path / "t").exists()


def test_what_is_no_template_and_what_was_trained_in_one_are_not_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "t"
    folder.mkdir()
    (folder / "mine.txt").touch()
    said = f"--output {folder} is there and no template; name another folder"
    assert error(capsys, make(folder, "detector")) == said
    (folder / "mine.txt").unlink()
    assert make(folder, "detector", epochs=3) == 0
    assert make(folder, "detector", epochs=4) == 0
    assert content(folder / "train_config.json")["epochs"] == 4
    (folder / "train").mkdir()
    capsys.readouterr()
    said = f"--output {folder} holds train/, which would be lost; move it, and work in a copy"
    assert error(capsys, make(folder, "detector", epochs=5)) == said
    assert content(folder / "train_config.json")["epochs"] == 4


@pytest.mark.parametrize(
    ("train", "said"),
    [("{", "--train is not JSON: "), ("[]", "--train must be a JSON object, not list"), ('{"epochs": NaN}', "epochs")],
)
def test_words_that_are_no_settings(tmp_path: Path, train: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--architecture", "detector", "--train", train, "--output", str(tmp_path / "t")]
    assert said in error(capsys, template.main(words))
    assert not (tmp_path / "t").exists()


def test_the_scripts_are_sound_and_say_how_they_are_used(detector: Path, tmp_path: Path) -> None:
    for script in detector.glob("*.sh"):
        subprocess.run(["bash", "-n", script], check=True)
    done = subprocess.run([detector / "run.sh", "a", "b", "c"], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, "usage: ./run.sh [MINIO [TRAIN]]\n")
    done = subprocess.run([detector / "run.sh", "a"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: a/datasets/1 is not there; put pictures and annotations/annotations.xml")
    assert not list(tmp_path.iterdir())


def test_the_words_for_people_name_the_image_and_no_mark_is_left(detector: Path) -> None:
    for name in HANDS:
        assert not re.search(r"@[A-Z]+@", (detector / name).read_text())
    assert "slipway/slipway-detector" in (detector / "build.sh").read_text()
    assert "# Slipway/Object Detection/Detector" in (detector / "README.md").read_text()


def test_packages_are_of_the_locks_versions() -> None:
    lock = (ROOT / "envs" / "lock.txt").read_text().lower().splitlines()
    lines = (AGRIGAIA / "requirements.txt").read_text().lower().splitlines()
    wanted = [line for line in lines if not line.startswith("#")]
    names = {line.split("==")[0] for line in wanted}
    assert {"torch", "onnx", "onnxruntime", "onnxscript", "scikit-learn", "defusedxml", "boto3"} <= names
    assert [line for line in wanted if line not in lock] == []
