"""Networks of timm's and torchvision's, in a process of their own (see with_zoo.py)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.objectnet_train.conftest import Place

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def found(ready: Place, chosen: Place, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("zoo")
    given = json.loads(ready.record("lite0").read_text())["file"]
    command = [sys.executable, "-m", "tests.objectnet_train.with_zoo", folder, chosen.photos, given]
    done = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    content: dict[str, Any] = json.loads((folder / "found.json").read_text())
    return content


def test_weights_of_one_network_give_equal_answers_in_timms(found: dict[str, Any]) -> None:
    got = found["lite0"]
    assert got["tensors"] == 296
    assert got["fit"]
    assert got["firsts"]
    assert got["difference"] < 1e-4


def test_a_timm_network_goes_all_the_way_with_its_own_transform(found: dict[str, Any], chosen: Place) -> None:
    got, own = found["commands"], json.loads(chosen.compared("lite0").read_text())
    assert got["statuses"] == [0, 0, 0]
    assert got["compared"]["top1"] == own["top1"]
    assert got["compared"]["top5"] == own["top5"]
    assert got["compared"]["nll"] == pytest.approx(own["nll"], abs=1e-4)
    assert got["compared"]["transform"] == own["transform"], "no transform was configured: it is timm's own"
    assert got["model"] == "timm:tf_efficientnet_lite0"
    assert got["transform"] == own["transform"], "it is written out, as the container need not have timm"
    assert got["files"] == ["model.onnx", "model.safetensors"]


def test_our_resnext_is_torchvisions_and_timms(found: dict[str, Any]) -> None:
    assert found["resnext"]["difference"] < 1e-4
    assert found["resnext"]["like_timms"]


def test_torchvisions_names_make_its_networks(found: dict[str, Any]) -> None:
    assert found["torchvision"] == "ResNet"


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (
            "timm:tf_efficientnet_lite00",
            "knows no network tf_efficientnet_lite00; did you mean 'tf_efficientnet_lite0'?",
        ),
        ("timm:resnet18.mine", "cannot be made (RuntimeError: Invalid pretrained tag (mine) for resnet18.)"),
        ("resnet81", "nor a classifier of torchvision's; did you mean 'resnet18'?"),
        ("EfficientNetLight0", "did you mean 'EfficientNetLite0'?"),
        ("timm:resnet18", "model timm:resnet18 cannot be made (TypeError: "),
    ],
)
def test_wrong_names_and_arguments_are_told(found: dict[str, Any], model: str, said: str) -> None:
    assert said in found["refused"][model]


def test_transforms_are_timms_to_the_pixel(found: dict[str, Any]) -> None:
    got = found["transforms"]
    assert got["networks"] > 1000
    assert got["other_sides"] == []
    assert got["larger"] == 320
    some = got["some"]
    assert some["tf_efficientnet_lite2"]["crop"] == 0.89
    assert (some["tf_efficientnet_lite3"]["size"], some["tf_efficientnet_lite3"]["crop"]) == (300, 300 / 331)
    assert some["resnet50"]["resize"] == "shorter"
    assert some["coat_lite_medium_384"]["resize"] == "squash"
