"""What must lie in /train: every model there is opened, and each mistake told in a sentence."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import nn

from containers.agrigaia.outputs import check
from containers.kit.outputs import Finding


def failed(folder: Path) -> list[tuple[str, str]]:
    return [(finding.name, finding.note) for finding in check(folder, folder) if finding.status == "FAIL"]


def passed(folder: Path) -> list[Finding]:
    found = check(folder, folder)
    assert {finding.status for finding in found} == {"PASS"}
    return found


def write_onnx(path: Path, operation: str = "Sqrt", shape: tuple[int | str, ...] = (1, 3, 8, 8), kind: int = 1) -> None:
    """One operation: square roots of a random picture are finite, logarithms of a negative one are not."""
    x = helper.make_tensor_value_info("x", kind, shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)
    nodes = [helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT)]
    nodes += [helper.make_node("Neg", ["f"], ["n"]), helper.make_node("Neg", ["n"], ["p"])]
    nodes.append(helper.make_node(operation, ["n" if operation == "Log" else "p"], ["y"]))
    graph = helper.make_graph(nodes, "g", [x], [y])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


def write_weights(path: Path, value: float = 1.0) -> None:
    torch.save({"facts": {"name": "tiny"}, "weights": {"layer.weight": torch.tensor([value, 0.5])}}, path)


def write_script(path: Path, value: float = 1.0) -> None:
    model = nn.Linear(2, 1).eval()
    nn.init.constant_(model.weight, value)
    torch.jit.save(torch.jit.trace(model, torch.zeros(1, 2), check_trace=False), str(path))


def test_weights_alone_are_what_the_platform_takes(tmp_path: Path) -> None:
    write_weights(tmp_path / "model.pt")
    (tmp_path / "history.csv").write_text("epoch\n")
    assert [(one.name, one.got) for one in passed(tmp_path)] == [("model file", "model.pt")]


def test_of_one_name_onnx_is_preferred_and_that_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "detect" / "weights"
    folder.mkdir(parents=True)
    write_weights(folder / "best.pt")
    write_onnx(folder / "best.onnx")
    write_weights(folder / "last.pt")
    assert [one.got for one in passed(tmp_path)] == [
        "detect/weights/best.onnx, rather than detect/weights/best.pt",
        "detect/weights/last.pt",
    ]


@pytest.mark.parametrize("name", ["model.torchscript", "model.pt", "model.pth"])
def test_torchscript_loads_under_each_ending(tmp_path: Path, name: str) -> None:
    write_script(tmp_path / name)
    assert [one.got for one in passed(tmp_path)] == [name]


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        (("batch", 3, "height", "width"), TensorProto.FLOAT),
        ((1, 3, 8, 8), TensorProto.UINT8),
        ((1, 3, 8, 8), TensorProto.FLOAT16),
    ],
)
def test_open_shapes_and_other_kinds_of_numbers(tmp_path: Path, shape: tuple[int | str, ...], kind: int) -> None:
    write_onnx(tmp_path / "model.onnx", shape=shape, kind=kind)
    assert [one.got for one in passed(tmp_path)] == ["model.onnx"]


def test_a_kind_that_is_not_opened_here_must_only_hold_something(tmp_path: Path) -> None:
    (tmp_path / "model.plan").write_bytes(b"engine")
    assert [one.got for one in passed(tmp_path)] == ["model.plan"]


def test_without_a_model_the_endings_are_named(tmp_path: Path) -> None:
    (tmp_path / "model.h5").write_bytes(b"weights")
    [(name, note)] = failed(tmp_path)
    assert name == "model file"
    assert note.endswith("train.py must write one ending with .pt, .pth, .torchscript, .onnx, .plan, .graphdef or .tf")


def test_an_empty_model(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").touch()
    assert failed(tmp_path) == [
        ("empty model", "model.onnx is empty; the training must write the model, and only when it is whole")
    ]


def test_a_half_written_file_is_found_beside_a_good_model(tmp_path: Path) -> None:
    write_weights(tmp_path / "model.pt")
    write_weights(tmp_path / ".model.onnx.part")
    [(name, note)] = failed(tmp_path)
    assert name == "half-written output"
    assert note.startswith(".model.onnx.part is half-written; ")


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    write_weights(tmp_path / "mine.pt")
    (tmp_path / "train" / "model.pt").symlink_to(tmp_path / "mine.pt")
    [(name, note)] = failed(tmp_path / "train")
    assert name == "model is a link"
    assert note.startswith("model.pt is a link")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("model.onnx", "model.onnx does not run in onnxruntime ("),
        ("model.pt", "model.pt does not load with torch.load(weights_only=True) ("),
        ("model.pth", "model.pth does not load with torch.load(weights_only=True) ("),
        ("model.torchscript", "model.torchscript is no TorchScript that torch loads ("),
    ],
)
def test_files_cut_short(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / name).write_bytes(b"PK\x03\x04 cut short")
    [(check_name, note)] = failed(tmp_path)
    assert check_name == "unusable model"
    assert note.startswith(words)
    assert "\n" not in note


def test_a_pickled_network_is_refused_without_being_run(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 1), tmp_path / "model.pt")
    [(_, note)] = failed(tmp_path)
    assert note.endswith("save state_dict(), whole and without objects of your own")


def test_weights_that_are_no_numbers(tmp_path: Path) -> None:
    write_weights(tmp_path / "model.pt", float("nan"))
    assert failed(tmp_path) == [
        ("unusable model", "model.pt holds weights that are not finite, in weights.layer.weight; see the training")
    ]
    write_script(tmp_path / "model.pt", float("inf"))
    assert [note for _, note in failed(tmp_path)] == [
        "model.pt holds weights that are not finite, in weight; see the training"
    ]


def test_onnx_that_answers_no_numbers(tmp_path: Path) -> None:
    write_weights(tmp_path / "model.pt")
    write_onnx(tmp_path / "model.onnx", "Log")
    [(name, note)] = failed(tmp_path)
    assert name == "unusable model"
    assert note == "model.onnx gives numbers that are not finite for a random input, in y; see the training"


def test_an_input_of_words_and_one_that_no_memory_takes(tmp_path: Path) -> None:
    write_onnx(tmp_path / "model.onnx", shape=(1, 3, 1 << 20, 1 << 20))
    [(_, note)] = failed(tmp_path)
    assert "has an input x of 1 x 3 x 1048576 x 1048576, more than memory takes" in note
    x = helper.make_tensor_value_info("x", TensorProto.STRING, (1,))
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "g",
        [x],
        [helper.make_tensor_value_info("y", TensorProto.STRING, (1,))],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), tmp_path / "model.onnx"
    )
    [(_, note)] = failed(tmp_path)
    assert "has an input x of the kind tensor(string), which no picture has" in note
