"""What the image runs: variables and settings become the words of the command; without torch, where there is none."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from containers.kit import cpus
from containers.kit.errors import UserError
from containers.objectnet import places
from containers.objectnet.launch import main
from tests.objectnet_eval import parts

Capture = pytest.CaptureFixture[str]
# As in the image that has none of these: they are nowhere to be found.
BLOCKED = """
import importlib.machinery, sys
absent = {"torch", "torchvision", "timm", "safetensors", "onnx", "efficientnet_lite_pytorch"}
class Finder(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in absent else super().find_spec(name, path, target)
sys.meta_path = [Finder if one is importlib.machinery.PathFinder else one for one in sys.meta_path]
from containers.objectnet import launch
status = launch.main(sys.argv[1:])
assert not absent & sys.modules.keys()
assert not {"containers.objectnet.networks", "containers.objectnet.torch_backend"} & sys.modules.keys()
raise SystemExit(status)
"""


@pytest.fixture
def container(photos: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the output, and variables as the image has them."""
    (tmp_path / "output").mkdir()
    (tmp_path / "workspace").mkdir()
    for name in ("SETTINGS", "INPUT", "OUTPUT"):
        monkeypatch.delenv(f"SLIPWAY_{name}", raising=False)
    variables = {"SLIPWAY_INPUT": photos, "SLIPWAY_OUTPUT": tmp_path / "output", "MODEL_CLASS_NAME": "Tiny"}
    for name, value in {**variables, "MODEL_PATH": weights, "WORKERS": "", "BATCH_SIZE": ""}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.chdir(tmp_path / "workspace")
    return tmp_path / "output"


def shown(capsys: Capture) -> dict[str, str]:
    block = capsys.readouterr().out.partition("**** params ****\n")[2].partition("\n****")[0].splitlines()
    return dict(re.split(r"\s{2,}", line, maxsplit=1) for line in block)


def test_without_settings_it_is_the_command_with_its_defaults(container: Path, capsys: Capture) -> None:
    assert main([]) == 0
    assert len(parts.rows(container / "predictions.csv")) == 7
    told = shown(capsys)
    assert (told["workers"], told["batch_size"]) == (str(cpus.available()), "96")
    assert (told["softmax"], told["convert_outputs_mode"], told["tta"]) == ("True", "merge", "none")


def test_settings_reach_the_program(container: Path, capsys: Capture) -> None:
    predict = {
        "workers": 1,
        "batch_size": 5,
        "softmax": False,
        "convert_outputs_mode": "1",
        "tta": "flip",
        "temperature": 1.5,
        "precision": "fp32",
        "backend": "torch",
    }
    Path("settings.json").write_text(json.dumps({"predict": predict}))
    assert main([]) == 0
    told = shown(capsys)
    assert {name: told[name] for name in predict} == {name: str(value) for name, value in predict.items()}
    assert len(parts.rows(container / "predictions.csv")) == 7


def test_build_arguments_win_over_settings_and_words_over_both(
    container: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    Path("settings.json").write_text(json.dumps({"predict": {"workers": 2, "batch_size": 5}}))
    monkeypatch.setattr(cpus, "available", lambda: 8)
    monkeypatch.setenv("WORKERS", "3")
    monkeypatch.setenv("BATCH_SIZE", "4")
    assert main([]) == 0
    told = shown(capsys)
    assert (told["workers"], told["batch_size"]) == ("3", "4")
    (container / "predictions.csv").unlink()
    monkeypatch.setenv("WORKERS", "0")
    assert main(["--batch_size", "6", "--softmax", "F"]) == 0
    told = shown(capsys)
    assert (told["workers"], told["batch_size"], told["softmax"]) == ("2", "6", "False")


def test_settings_lie_in_the_working_directory_or_beside_the_code(
    container: Path,  # noqa: ARG001
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "code").mkdir()
    monkeypatch.setattr(places, "CODE", tmp_path / "code")
    assert places.settings().predict.batch_size == 96
    (tmp_path / "code" / "settings.json").write_text('{"predict": {"batch_size": 3}}')
    assert places.settings().predict.batch_size == 3
    Path("settings.json").write_text('{"predict": {"batch_size": 2}}')
    assert places.settings().predict.batch_size == 2
    monkeypatch.setenv("SLIPWAY_SETTINGS", str(tmp_path / "none.json"))
    with pytest.raises(UserError, match=r"none\.json cannot be read"):
        places.settings()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("MODEL_CLASS_NAME", None, "the image names no network; build it with --build-arg MODEL_CLASS_NAME=<class>"),
        ("MODEL_CLASS_NAME", "", "the image names no network; build it with --build-arg MODEL_CLASS_NAME=<class>"),
        ("MODEL_PATH", None, "the image names no weights; build it with --build-arg MODEL_CHECKPOINT=<file name>"),
        (
            "MODEL_PATH",
            "/opt/artifact/",
            "the image names no weights; build it with --build-arg MODEL_CHECKPOINT=<file",
        ),
        ("WORKERS", "many", "WORKERS is 'many'; build the image with --build-arg WORKERS=<a number>, or 0"),
        ("BATCH_SIZE", "-1", "BATCH_SIZE is '-1'; build the image with --build-arg BATCH_SIZE=<a number>, or 0"),
    ],
)
def test_a_variable_that_is_not_right_is_one_sentence(
    container: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, name: str, value: str | None, sentence: str
) -> None:
    monkeypatch.delenv(name)
    if value is not None:
        monkeypatch.setenv(name, value)
    assert main([]) == 1
    assert f"error: {sentence}" in capsys.readouterr().err
    assert list(container.iterdir()) == []


def test_the_onnx_image_never_asks_for_torch(container: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = parts.artifact(tmp_path / "artifact").with_name("model.onnx")
    monkeypatch.setenv("MODEL_PATH", str(checkpoint))
    monkeypatch.setenv("PYTHONPATH", str(parts.ROOT))
    done = parts.run("-c", BLOCKED)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "Done. Number of predictions:  7"), done.stderr
    blocked = (container / "predictions.csv").read_bytes()
    (container / "predictions.csv").unlink()
    assert main([]) == 0
    assert (container / "predictions.csv").read_bytes() == blocked


def test_the_onnx_image_says_what_it_cannot_do(
    tmp_path: Path, container: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights of torch's, and a transform of a participant's own that needs torch."""
    monkeypatch.setenv("PYTHONPATH", str(parts.ROOT))
    done = parts.run("-c", BLOCKED)
    assert done.returncode == 1
    assert re.fullmatch(
        r"error: \S+tiny\.pth needs torch, which this image has not; give a \.onnx file, or use the torch image\n",
        done.stderr,
    )
    parts.code_of_a_participant(tmp_path / "code")
    edited = tmp_path / "code/containers/objectnet/model/data_transform_description.py"
    edited.write_text("import torchvision\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "code"))
    monkeypatch.setenv("MODEL_PATH", str(parts.onnx_file(tmp_path / "tiny.onnx")))
    done = parts.run("-c", BLOCKED)
    assert done.returncode == 1
    assert re.fullmatch(
        r"error: \S+data_transform_description\.py needs torchvision, which this image has not; use a Pipeline in it, "
        r"or the image with torch \(.*\)\n",
        done.stderr,
    )
    assert list(container.iterdir()) == []


def test_the_module_is_the_entry_point(container: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As the Dockerfile has it, in a folder that holds the code and the settings."""
    parts.code_of_a_participant(tmp_path / "app")
    (tmp_path / "app" / "settings.json").write_text('{"predict": {"batch_size": 3, "precision": "fp32"}}')
    monkeypatch.delenv("PYTHONPATH", raising=False)
    done = parts.run("-m", "containers.objectnet.launch", "--tta", "flip", cwd=tmp_path / "app")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^batch_size +3$", done.stdout, re.MULTILINE)
    assert re.search(r"^tta +flip$", done.stdout, re.MULTILINE)
    assert len(parts.rows(container / "predictions.csv")) == 7
