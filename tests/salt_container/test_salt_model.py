"""The artifact as the container reads it: networks with their weights, inputs and what was tuned."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from containers.kit.errors import UserError
from containers.kit.files import sha256
from containers.salt import predict
from containers.salt.model import kinds, load
from containers.salt.settings import Inputs
from tests.salt_container import parts
from tests.salt_container.parts import CHOICES, INPUTS, NETS, rows
from workflow.scripts.salt import artifact as command

CPU = torch.device("cpu")


@pytest.fixture
def own(artifact: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(artifact, tmp_path / "artifact"))


def test_what_was_trained_and_tuned_is_what_is_loaded(artifact: Path) -> None:
    model = load(artifact, CPU)
    assert model.choices == CHOICES
    assert (model.inputs.offset, model.inputs.scale, model.inputs.channels) == (INPUTS.offset, INPUTS.scale, 1)
    levels = [[float(net.level) for net in nets] for nets in (model.classifiers, model.segmenters)]  # type: ignore[arg-type]
    np.testing.assert_allclose(levels, [[1.02, 1.04, 1.12, 1.14], [0.52, 0.54, 0.62, 0.64]], rtol=1e-6)
    assert not any(net.training for net in model.classifiers + model.segmenters)


@pytest.mark.parametrize(
    ("variants", "needed"),
    [
        (["classifier"], {"classifier"}),
        (["segmentation_post_processing"], {"segmentation"}),
        (["both"], {"classifier", "segmentation"}),
        (["classifier_post_processing", "segmentation"], {"classifier", "segmentation"}),
    ],
)
def test_only_the_networks_that_a_variant_needs_are_read(artifact: Path, variants: list[str], needed: set[str]) -> None:
    assert kinds(variants) == needed
    model = load(artifact, CPU, kinds(variants))
    assert (bool(model.classifiers), bool(model.segmenters)) == ("classifier" in needed, "segmentation" in needed)


def described(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def changed(folder: Path) -> None:
        content = json.loads((folder / "model.json").read_text())
        change(content)
        parts.write(folder / "model.json", content)

    return changed


def weights(folder: Path, **tensors: torch.Tensor) -> None:
    """Put others into a file, and its SHA-256 into the description."""
    name = "segmentation/fold_0_epoch_2.safetensors"
    save_file(tensors, folder / name)
    described(lambda content: content["segmentation"]["files"][0].update(sha256=sha256(folder / name)))(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: (folder / "model.json").write_text("{"), "model.json is not readable as JSON"),
        (lambda folder: (folder / "model.json").write_text("[]"), "model.json does not describe a model of TGS salt"),
        (described(lambda content: content.update(challenge="amos")), "does not describe a model of TGS salt; make"),
        (described(lambda content: content.pop("choices")), "is damaged (KeyError: 'choices'); make the artifact"),
        (described(lambda content: content["classifier"].pop("model")), "is damaged (KeyError: 'model'); make the"),
        (described(lambda content: content["classifier"].update(files=[])), "is damaged (TypeError: no network); make"),
        (described(lambda content: content["choices"].pop("keep")), "choices does not hold what was tuned"),
        (described(lambda content: content["inputs"].update(chanels=1)), "inputs.chanels is not a setting; did you"),
        (
            described(lambda content: content["classifier"].update(model="resnet19")),
            "classifier.model 'resnet19' is not known; it is one of resnet10, ",
        ),
        (
            described(lambda content: content["segmentation"]["files"][1].update(file="../x.safetensors")),
            "artifact is said to hold ../x.safetensors, which lies outside of it; make the artifact again",
        ),
        (
            lambda folder: (folder / "classifier/fold_1_epoch_4.safetensors").unlink(),
            "classifier/fold_1_epoch_4.safetensors, which belongs to the model, is not there; make the artifact again",
        ),
        (
            lambda folder: (folder / "classifier/fold_1_epoch_4.safetensors").write_bytes(b"x"),
            "fold_1_epoch_4.safetensors is not the file that was written down (its SHA-256 differs); make the artifact",
        ),
        (
            lambda folder: weights(folder, other=torch.zeros(1)),
            "fold_0_epoch_2.safetensors does not suit segmentation.model tests.salt_container.nets:Bright (",
        ),
    ],
)
def test_what_is_wrong_with_an_artifact_is_one_sentence(own: Path, change: Callable[[Path], object], said: str) -> None:
    change(own)
    with pytest.raises(UserError) as error:
        load(own, CPU)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_networks_that_take_depths_need_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    models = {**parts.MODELS, "segmentation": (f"{NETS}:Deep", {"level": 0.0})}
    chain = parts.chain(tmp_path / "chain", Inputs(channels=2, depth=True, offset=125, scale=10), models)
    folder = tmp_path / "artifact"
    assert command.main([*chain.words(), "--output", str(folder)]) == 0
    shutil.copytree(chain.images, tmp_path / "input")
    parts.write(tmp_path / "settings.json", {"predict": {"variant": "segmentation", "device": "cpu"}})
    given = {"INPUT": "input", "OUTPUT": "output", "SETTINGS": "settings.json", "ARTIFACT": "artifact"}
    for name, place in given.items():
        monkeypatch.setenv(f"SLIPWAY_{name}", str(tmp_path / place))
    capsys.readouterr()
    assert predict.main([]) == 1
    told = f"{tmp_path}/input/depths.csv is not there, and the networks were trained with depths; put it beside the"
    assert told in capsys.readouterr().err
    entries = chain.content["test"]
    mean = load(folder, CPU).inputs.depth_mean
    shallow, deep = min(entries, key=lambda one: one["z"]), max(entries, key=lambda one: one["z"])
    assert shallow["z"] < mean - 100 < mean + 100 < deep["z"]
    known = [(one["id"], one["z"]) for one in entries if one in (shallow, deep)]
    parts.write_csv(tmp_path / "input" / "depths.csv", ("id", "z"), known)
    assert predict.main([]) == 0
    found = rows(tmp_path / "output" / "submission.csv")
    assert {found[deep["id"]], found[shallow["id"]]} == {"1 10201", ""}
    assert found[deep["id"]] == "1 10201"
    said = capsys.readouterr().err
    assert f"has no depth of {len(entries) - 2} images (" in said
    assert "; the mean of the training counts for them" in said
    (tmp_path / "input" / "depths.csv").write_text("id,z\nx,deep\n")
    assert predict.main([]) == 1
    assert "has 'deep' as the depth of x, which is no whole number" in capsys.readouterr().err


def test_the_networks_of_the_settings_work_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models: dict[str, tuple[str, dict[str, Any]]] = {
        "classifier": ("resnet10", {"width": 0.05}),
        "segmentation": ("unet", {"width": 0.05}),
    }
    chain = parts.chain(tmp_path / "chain", Inputs(channels=3, scale=60), models)
    assert command.main([*chain.words(), "--output", str(tmp_path / "artifact")]) == 0
    monkeypatch.setenv("SLIPWAY_INPUT", str(chain.images))
    for name, place in {"OUTPUT": "output", "SETTINGS": "no", "ARTIFACT": "artifact"}.items():
        monkeypatch.setenv(f"SLIPWAY_{name}", str(tmp_path / place))
    assert predict.main([]) == 0
    assert sorted(rows(tmp_path / "output" / "submission.csv")) == sorted(chain.truth)
