"""Pretrained weights by way of a record: which file it is, and that training begins with that very file."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from containers.kit.files import sha256
from containers.salt.encoders import resnet
from tests.salt_train.commands import PIXELS, Place, record
from tests.salt_train.conftest import Said
from workflow.scripts.salt import segment, weights


def written(path: Path) -> dict[str, torch.Tensor]:
    torch.manual_seed(4)
    given = {name: value.contiguous() for name, value in resnet("resnet18", 1, 0, width=0.1).state_dict().items()}
    save_file(given, path)
    return given


def find(folder: Path, words: str) -> int:
    cache, output = folder / "cache", folder / "record.json"
    flags = [f"--weights={words}", f"--cache={cache}", f"--output={output}"]
    return weights.main(["--kind=segmentation", *flags])


def test_training_begins_with_the_file_of_the_record(packed: Place, tmp_path: Path, said: Said) -> None:
    given = written(tmp_path / "mine.safetensors")
    assert find(tmp_path, str(tmp_path / "mine.safetensors")) == 0
    told = json.loads((tmp_path / "record.json").read_text())
    assert (told["file"], told["sha256"]) == (str(tmp_path / "mine.safetensors"), sha256(tmp_path / "mine.safetensors"))
    still = {"weights": "package:elsewhere", "images": "all", "lr": 1e-12, "weight_decay": 0.0, "epochs": 1}
    settings = {**PIXELS, "model": "resnet18-scse", "model_args": {"width": 0.1, "decoder": 8}, **still}
    words = [*packed.words("segmentation", settings, 0, tmp_path), "--weights", str(tmp_path / "record.json")]
    assert segment.main(words) == 0
    folder = Place(tmp_path).output("segmentation", 0)
    assert record(folder)["train"]["weights"] == "mine.safetensors", "the file's name, and no path of this machine"
    snapshot = load_file(folder / "epoch_1.safetensors")
    assert torch.allclose(snapshot["encoder.layer1.0.conv1.weight"], given["layer1.0.conv1.weight"], atol=1e-6)
    (tmp_path / "mine.safetensors").write_bytes(b"other")
    assert segment.main(words) == 1
    assert said().startswith(f"{tmp_path}/mine.safetensors is not the file that {tmp_path}/record.json tells of")


def test_weights_that_are_not_there_are_one_sentence(tmp_path: Path, said: Said) -> None:
    key = "challenges.salt.segmentation.weights"
    assert find(tmp_path, "none.pth") == 1
    assert said() == f"{key} none.pth is not there; leave it empty to begin from scratch"
    assert find(tmp_path, "package:efficientnet-lite1") == 1
    assert said().startswith(
        f"{key} names the package efficientnet-lite1, which is not known to carry weights; did you"
    )
    assert not (tmp_path / "record.json").exists()
