"""A network so small that seconds suffice, in both forms; photos of noise; and the program, run in several ways."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
import threading
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from PIL import Image, ImageOps
from torch import Tensor, nn

from containers.kit.files import sha256, write_json
from workflow.scripts.objectnet.demo_photos import FOOLBOX
from workflow.scripts.slipway.packages import fetch

ROOT = Path(__file__).resolve().parents[2]
SIZE, CELL = 224, 56
RED = (255, 0, 0)
NOTHING = ["-1", "0"] * 5

# What a participant writes into model/model_description.py; the slow one gives a test the time to kill it.
WRITTEN = """
import time

from torch import nn


class Tiny(nn.Sequential):
    def __init__(self):
        super().__init__(nn.AvgPool2d(56), nn.Flatten(), nn.Linear(48, 1000))


class Slow(Tiny):
    def forward(self, photos):
        time.sleep(0.05)
        return super().forward(photos)


class Loading(Tiny):
    def __init__(self):
        print("loading", flush=True)
        time.sleep(60)
"""


class Tiny(nn.Sequential):
    """The mean colours of 16 squares, and a line through them for each class."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__(nn.AvgPool2d(CELL), nn.Flatten(), nn.Linear(48, classes))


class Objects(Tiny):
    def __init__(self) -> None:
        super().__init__(313)


class Seven(Tiny):
    def __init__(self) -> None:
        super().__init__(7)


class Breaking(Tiny):
    """Fails once it has seen so many photos in all."""

    left: ClassVar[int] = 0
    lock: ClassVar[Any] = threading.Lock()  # parts of a batch are computed side by side

    def forward(self, photos: Tensor) -> Tensor:
        with self.lock:
            type(self).left -= len(photos)
            if type(self).left < 0:
                raise RuntimeError("worn out")
        answers: Tensor = super().forward(photos)
        return answers


class Numberless(Tiny):
    """Says of a photo that is bright all over what is no number."""

    def forward(self, photos: Tensor) -> Tensor:
        answers: Tensor = super().forward(photos)
        answers[photos[:, 0].mean(dim=(1, 2)) > 2] = float("nan")
        return answers


class Fails(nn.Module):
    def __init__(self) -> None:
        raise RuntimeError("no\nluck")


def weights(classes: int = 1000) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(classes)
    return {
        "2.weight": torch.randn((classes, 48), generator=generator),
        "2.bias": torch.randn(classes, generator=generator),
    }


def checkpoint(path: Path, classes: int = 1000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(weights(classes), path)
    return path


def onnx_file(path: Path, classes: int = 1000, batch: str | int = "n") -> Path:
    """The same network."""
    tensors = {name: numpy_helper.from_array(value.numpy(), name) for name, value in weights(classes).items()}
    nodes = [
        helper.make_node("AveragePool", ["photos"], ["pooled"], kernel_shape=[CELL] * 2, strides=[CELL] * 2),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "2.weight", "2.bias"], ["logits"], transB=1),
    ]
    kind = onnx.TensorProto.FLOAT
    inputs = [helper.make_tensor_value_info("photos", kind, [batch, 3, "height", "width"])]
    outputs = [helper.make_tensor_value_info("logits", kind, [batch, classes])]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, list(tensors.values()))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return path


def artifact(folder: Path, model: str = "Tiny", **more: Any) -> Path:
    """Both forms and what is said of them, as Slipway exports them; the checkpoint of torch's."""
    from safetensors.torch import save_file

    onnx_file(folder / "model.onnx")
    save_file(weights(), folder / "model.safetensors")
    checksums = {name: sha256(folder / name) for name in ("model.onnx", "model.safetensors")}
    write_json(folder / "model.json", {"model": model, "classes": 1000, "checksums": checksums, **more})
    return folder / "model.safetensors"


def noise(seed: int, size: tuple[int, int] = (270, 240)) -> Image.Image:
    """A few large spots of colour: what is left of it in a mean is far from that of another seed."""
    spots = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    return Image.fromarray(spots).resize(size, Image.Resampling.NEAREST)


def bordered(photo: Image.Image, colour: tuple[int, int, int] = RED) -> Image.Image:
    return ImageOps.expand(photo, 2, colour)


def folder_of(folder: Path, photos: int) -> Path:
    folder.mkdir(parents=True)
    for seed in range(photos):
        bordered(noise(seed)).save(folder / f"{seed:03}.png")
    return folder


def rows(path: Path) -> dict[str, list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        read = list(csv.reader(stream))
    assert {len(row) for row in read} <= {11}
    assert [row[0] for row in read] == sorted({row[0] for row in read})
    return {row[0]: row[1:] for row in read}


def ids(path: Path) -> dict[str, list[int]]:
    return {name: [int(cell) for cell in row[::2]] for name, row in rows(path).items()}


def code_of_a_participant(folder: Path) -> Path:
    """A copy of the code with networks of the participant's own; the program in it."""
    shutil.copytree(ROOT / "containers", folder / "containers", ignore=shutil.ignore_patterns("__pycache__"))
    edited = folder / "containers/objectnet/model/model_description.py"
    edited.write_text(edited.read_text() + WRITTEN)
    return folder / "containers/objectnet/objectnet_eval.py"


def started(*words: object, **more: Any) -> subprocess.Popen[str]:
    """A Python process of its own."""
    command = [sys.executable, *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


def run(*words: object, **more: Any) -> subprocess.CompletedProcess[str]:
    with started(*words, **more) as process:
        out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess([str(word) for word in words], process.returncode, out, err)


def imagenet_photos(cache: Path) -> list[Image.Image]:
    """Twenty real photos."""
    with zipfile.ZipFile(fetch(FOOLBOX, cache)) as wheel:
        names = sorted(name for name in wheel.namelist() if "/imagenet_" in name)
        return [Image.open(BytesIO(wheel.read(name))).convert("RGB") for name in names]
