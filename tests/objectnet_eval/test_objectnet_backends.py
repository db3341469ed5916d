"""What runs a network: which is chosen, that both say the same of real photos, and what each refuses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import helper
from PIL import ImageOps

from containers.kit import cpus
from containers.objectnet import backends
from containers.objectnet.backends import open_backend
from containers.objectnet.objectnet_eval import main
from containers.objectnet.settings import Precision, Transform
from containers.objectnet.transforms import Pipeline
from tests.objectnet_eval import parts
from workflow.scripts.objectnet.export_onnx import export
from workflow.scripts.objectnet.weights import find

Capture = pytest.CaptureFixture[str]


def runtime(model: str, checkpoint: Path, **more: Any) -> str:
    return open_backend(model, checkpoint, **more).decides["runtime"]


def test_auto_takes_onnx_where_it_was_exported_together(tmp_path: Path) -> None:
    checkpoint = parts.artifact(tmp_path / "artifact")
    assert runtime("Tiny", checkpoint) == "onnx"
    assert runtime("Tiny", checkpoint.with_name("model.onnx")) == "onnx"
    assert runtime("Tiny", checkpoint, backend="onnx") == "onnx"
    assert runtime("Tiny", checkpoint, backend="torch") == "torch, cpu"
    assert runtime("Tiny", checkpoint, precision="bf16") == "torch, cpu"
    assert runtime("Numberless", checkpoint) == "torch, cpu", "the file is of another network"
    parts.onnx_file(checkpoint.with_name("model.onnx"), classes=313)
    assert runtime("Tiny", checkpoint) == "torch, cpu", "the file is not the one that was exported"


def test_what_was_exported_with_it_is_used(tmp_path: Path) -> None:
    transform = {"size": 240, "crop": 0.9, "mean": [0.5, 0.5, 0.5]}
    checkpoint = parts.artifact(tmp_path / "artifact", "Tiny", transform=transform, model_args={"classes": 1000})
    for file in (checkpoint, checkpoint.with_name("model.onnx")):
        opened = open_backend("Tiny", file)
        assert isinstance(opened.transform, Pipeline)
        assert opened.transform.transform == Transform(size=240, crop=0.9, mean=(0.5, 0.5, 0.5))
        assert opened.classes == 1000
    plain = open_backend("Tiny", parts.checkpoint(tmp_path / "tiny.pth"))
    assert isinstance(plain.transform, Pipeline)
    assert plain.transform.transform == Transform()
    assert plain.classes is None


@pytest.mark.parametrize(("asked", "used"), [("auto", "fp32"), ("fp32", "fp32"), ("bf16", "bf16")])
def test_half_size_numbers_on_a_cpu_only_where_they_are_asked_for(tmp_path: Path, asked: Precision, used: str) -> None:
    opened = open_backend("Tiny", parts.checkpoint(tmp_path / "tiny.pth"), precision=asked)
    assert opened.decides["precision"] == used
    assert opened.described.endswith(used)
    answers = opened(np.zeros((2, 3, 224, 224), np.float32))
    assert answers.dtype == np.float32
    assert answers.shape == (2, 1000)


def test_a_cpu_gets_few_photos_at_once_and_the_answers_in_order(tmp_path: Path) -> None:
    checkpoint = parts.artifact(tmp_path / "artifact")
    batch = np.random.default_rng(0).normal(size=(21, 3, 224, 224)).astype(np.float32)
    network = parts.Tiny()
    network.load_state_dict(parts.weights())
    with torch.inference_mode():
        expected = network(torch.from_numpy(batch)).numpy()
    for backend in ("onnx", "torch"):
        opened: Any = open_backend("Tiny", checkpoint, backend=backend, precision="fp32", threads=3)
        sizes: list[int] = []
        plain = opened._run

        def counted(part: Any, sizes: list[int] = sizes, plain: Any = plain) -> Any:
            sizes.append(len(part))
            return plain(part)

        opened._run = counted
        np.testing.assert_allclose(opened(batch), expected, atol=1e-5)
        assert max(sizes) <= backends.ON_CPU
        assert sum(sizes) == 21


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, packages: Path) -> Path:
    """A folder with a pre-trained network as .pth and as .onnx, and with real photos, each with its mirror image."""
    from containers.objectnet.networks import load, network

    folder = tmp_path_factory.mktemp("real")
    made = network("EfficientNetLite0", {})
    load(made, find("lite0", "package:efficientnet-lite0", packages).rename(folder / "lite0.pth"))
    export(made.eval(), 224, folder / "lite0.onnx")
    (folder / "in").mkdir()
    for number, photo in enumerate(parts.imagenet_photos(packages)):
        square = ImageOps.fit(photo, (300, 300))  # its middle is that of its mirror image, to the pixel
        for name, picture in (("plain", square), ("mirror", ImageOps.mirror(square))):
            parts.bordered(picture).save(folder / "in" / f"{number:02}_{name}.png")
    return folder


def predicted(folder: Path, file: str, output: Path, *more: str) -> Path:
    words = [str(folder / "in"), str(output), "EfficientNetLite0", str(folder / file), "--convert_outputs_mode=1"]
    assert main([*words, *more]) == 0
    return output


def test_both_say_the_same_of_real_photos(real: Path, tmp_path: Path) -> None:
    ours = predicted(real, "lite0.onnx", tmp_path / "onnx.csv")
    theirs = predicted(real, "lite0.pth", tmp_path / "torch.csv", "--precision=fp32")
    assert parts.ids(ours) == parts.ids(theirs)
    assert len(parts.ids(ours)) == 40
    for mine, other in zip(parts.rows(ours).values(), parts.rows(theirs).values(), strict=True):
        assert [float(cell) for cell in mine[1::2]] == pytest.approx([float(cell) for cell in other[1::2]], abs=1e-4)
    known = {"01": 52, "09": 29, "11": 86}  # a chair, a bottle cap, a shoe
    assert {name: parts.ids(ours)[f"{name}_plain.png"][0] for name in known} == known


def test_with_flips_a_photo_and_its_mirror_image_are_the_same(real: Path, tmp_path: Path) -> None:
    flipped = parts.rows(predicted(real, "lite0.onnx", tmp_path / "flip.csv", "--tta=flip", "--softmax=F"))
    plain = parts.rows(predicted(real, "lite0.onnx", tmp_path / "plain.csv", "--softmax=F"))

    def apart(found: dict[str, list[str]]) -> float:
        pairs = [
            (float(found[name][1]), float(found[name.replace("plain", "mirror")][1]))
            for name in found
            if "plain" in name
        ]
        return max(abs(one - other) for one, other in pairs)

    assert apart(flipped) < 1e-3
    assert apart(plain) > 0.1


def two_inputs(path: Path) -> Path:
    kind = onnx.TensorProto.FLOAT
    values = [helper.make_tensor_value_info(name, kind, ["n", 3, 4, 4]) for name in ("a", "b", "c")]
    graph = helper.make_graph([helper.make_node("Add", ["a", "b"], ["c"])], "two", values[:2], values[2:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    onnx.save(model, path)
    return path


@pytest.mark.parametrize(
    ("case", "more", "sentence"),
    [
        (
            "plain",
            ["--precision=bf16"],
            r"--precision bf16 is torch's; leave it out for ONNX Runtime, or give --backend .*",
        ),
        ("plain", ["--gpus=1"], r"--gpus 1, but ONNX Runtime works on the CPU here; give --gpus 0 or --backend torch"),
        ("plain", ["--backend=torch"], r"--backend torch cannot read \S+x\.onnx; give a checkpoint of torch's, or .*"),
        ("fixed", [], r"\S+x\.onnx takes exactly 1 photos at a time; export it with a dynamic first axis"),
        ("two", [], r"\S+x\.onnx must take one batch of photos, n x 3 x height x width of float32; export it again"),
        (
            "other",
            [],
            r"model-class-name Tiny, but \S+model\.onnx is Mine as model\.json beside it says; give that name",
        ),
    ],
)
def test_what_onnx_refuses(
    photos: Path, tmp_path: Path, capsys: Capture, case: str, more: list[str], sentence: str
) -> None:
    path = tmp_path / "x.onnx"
    made = {
        "plain": lambda: parts.onnx_file(path),
        "fixed": lambda: parts.onnx_file(path, batch=1),
        "two": lambda: two_inputs(path),
        "other": lambda: parts.artifact(tmp_path / "artifact", "Mine").with_name("model.onnx"),
    }[case]()
    assert main([str(photos), str(tmp_path / "p.csv"), "Tiny", str(made), *more]) == 1
    told = capsys.readouterr().err.splitlines()[-1]
    assert re.fullmatch(f"error: {sentence}", told), told


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            lambda photos: photos,
            r"Odd gives \(7, 3, 224, 224\) for 7 photos; forward\(\) must return a row of logits .*",
        ),
        (lambda photos: [photos], r"Odd gives list for 7 photos; .*"),
    ],
)
def test_a_network_that_answers_otherwise(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, answer: Any, sentence: str
) -> None:
    from containers.objectnet.model import model_description

    class Odd(parts.Tiny):
        def forward(self, photos: torch.Tensor) -> Any:
            return answer(photos)

    monkeypatch.setattr(model_description, "Odd", Odd, raising=False)
    monkeypatch.setattr(cpus, "available", lambda: 1)
    assert main([str(photos), str(tmp_path / "p.csv"), "Odd", str(parts.checkpoint(tmp_path / "t.pth"))]) == 1
    told = capsys.readouterr().err.splitlines()[-1]
    assert re.fullmatch(f"error: {sentence}", told), told
