"""Export to ONNX: what is written, what is told, and what is done where it cannot be."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from tests.agrigaia_export.models import Branches, Calls, Two
from tests.agrigaia_train import flat

assert flat
import export  # noqa: E402
from network import Detector  # noqa: E402

SCHEMA = json.loads((flat.AGRIGAIA / "export" / "export.jsonschema").read_text())
FORM: dict[str, Any] = {"model_type": "pytorch", "input_shapes": [[1, 3, 8, 8]], "input_types": ["float32"]}
TWO = {**FORM, "input_shapes": [[2, 3, 8, 8], [2, 4, 8, 8]], "input_types": ["float32"] * 2}


Saved = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def saved() -> Saved:
    return []


@pytest.fixture
def run(here: Path, saved: Saved, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    """Export with a form, and give the lines that were printed."""

    def save(model: nn.Module, path: str, **options: Any) -> None:
        assert isinstance(model, nn.Module)
        saved.append((path, options))

    def start(model: nn.Module, form: Any) -> list[str]:
        (here / "export_config.json").write_text(form if isinstance(form, str) else json.dumps(form))
        capsys.readouterr()
        export.export_model(model, str(here / "model.pt"), "pt", save, {"size": 8})
        said = capsys.readouterr()
        assert said.err == ""
        return said.out.splitlines()

    return start


def test_onnx_gives_what_torch_gives_under_the_names_of_the_form(
    here: Path, run: Callable[..., list[str]], saved: Saved
) -> None:
    model = Two().train()
    model.norm.running_var.uniform_(0.5, 2.0)  # type: ignore[union-attr]
    form = {**FORM, "input_names": ["My first input"], "output_names": ["Means"], "opset_version": 14}
    form |= {"input_shapes": [[2, 3, 8, 6], [2, 4, 8, 6]], "input_types": ["float32", "int16"]}
    said = run(model, form)
    assert len(said) == 1
    assert said[0].startswith(
        f"ONNX: {here}/model.onnx (opset 14; My first input [2, 3, 8, 6], Input 2 [2, 4, 8, 6] -> Means, Output 2); "
        "onnxruntime differs from torch by at most "
    )
    told = float(said[0].split()[-1])
    assert 0 <= told < 1e-4
    assert (saved, model.training) == ([], True)
    session = onnxruntime.InferenceSession(str(here / "model.onnx"))
    one, other = torch.rand(2, 3, 8, 6) * 9, torch.randint(-90, 90, (2, 4, 8, 6), dtype=torch.int16)
    found = session.run(None, {"My first input": one.numpy(), "Input 2": other.numpy()})
    with torch.no_grad():
        expected = model.eval()(one, other)
    for value, wanted in zip(found, expected, strict=True):
        assert np.allclose(value, wanted.numpy(), atol=1e-5)
    content = onnx.load(str(here / "model.onnx"))
    assert [entry.version for entry in content.opset_import if entry.domain == ""] == [14]
    assert [path.name for path in here.iterdir() if path.suffix != ".json"] == ["model.onnx"]


def test_an_opset_that_cannot_be_had_is_told(run: Callable[..., list[str]], here: Path) -> None:
    said = run(Two(), {**TWO, "opset_version": 7})
    assert f"ONNX: {here}/model.onnx (opset 18 instead of 7, to which it cannot be taken; Input 1 [2, 3" in said[0]


def test_a_model_may_be_exported_as_it_learns(run: Callable[..., list[str]], saved: Saved) -> None:
    model = Two().eval()
    said = run(model, {**TWO, "training": "TRAINING"})
    assert said[0].endswith("; it learns, so it is not compared")
    assert (saved, model.training) == ([], False)


def test_an_empty_form_disables_it(run: Callable[..., list[str]], saved: Saved, here: Path) -> None:
    (here / "model.onnx").write_text("of an earlier run")
    assert run(Two(), {}) == [
        "ONNX: export_config.json is empty, so nothing is exported to it.",
        f"ONNX: {here}/model.onnx of an earlier run is removed, since the platform would take it.",
    ]
    assert saved == [(f"{here}/model.pt", {"size": 8})]
    assert not (here / "model.onnx").exists()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"model_type": "keras"}, "model_type is keras, which is not installed here; set it to pytorch"),
        ({"model_type": "tensorflow"}, "model_type is tensorflow, which is not installed here; set it to pytorch"),
        ({"model_type": "jax"}, "model_type is 'jax'; choose one of pytorch, tensorflow, keras"),
        (
            {"input_types": []},
            "input_shapes and input_types must be lists of the same length; give a type for each shape",
        ),
        ({"input_shapes": [[1, 3, 0, 8]]}, "input_shapes is [[1, 3, 0, 8]]; give whole numbers from 1 on"),
        ({"input_shapes": [[1, 3, 8.5, 8]]}, "input_shapes is [[1, 3, 8.5, 8]]; give whole numbers from 1 on"),
        ({"input_types": ["string"]}, "input_types has 'string', which no tensor has; choose among float16, "),
        ({"input_names": ["a", "b"]}, "input_names has 2 names for 1 shapes; take some out"),
        ({"output_names": ["a", "b"]}, "output_names has 2 names for 1 outputs; take some out"),
        (
            {"operator_export_type": "ONNX_ATEN"},
            "operator_export_type is ONNX_ATEN, which torch has no more; set it to ONNX",
        ),
        ({"training": "TrainingMode.EVAL"}, "training is 'TrainingMode.EVAL'; choose EVAL, PRESERVE or TRAINING"),
    ],
)
def test_a_form_that_cannot_be_is_told_and_the_model_saved(
    changes: dict[str, Any], reason: str, run: Callable[..., list[str]], saved: Saved, here: Path
) -> None:
    said = run(Branches(), {**FORM, **changes})
    assert len(said) == 1
    assert said[0].startswith(f"ONNX: the export failed, and the model is saved as pt instead ({reason}")
    assert saved == [(f"{here}/model.pt", {"size": 8})]


def test_another_frameworks_model_is_refused_where_it_is_installed(
    run: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export.importlib.util, "find_spec", lambda _: object())
    said = run(Branches(), {**FORM, "model_type": "keras"})
    assert said[0].endswith("(model_type is keras and the model is PyTorch's; set it to pytorch)")


@pytest.mark.parametrize("text", ["{", "[1]"])
def test_a_form_that_is_none_is_told(text: str, run: Callable[..., list[str]], saved: Saved) -> None:
    said = run(Branches(), text)
    assert len(said) == 1
    assert "(export_config.json " in said[0]
    assert len(saved) == 1


def test_without_a_file_it_is_told(here: Path, saved: Saved, capsys: pytest.CaptureFixture[str]) -> None:
    written = export.export_model(Branches(), here / "m.pth", "pth", lambda *_: saved.append(("", {})))
    assert (written, len(saved)) == (here / "m.pth", 1)
    assert "(export_config.json cannot be read (No such file or directory); put it beside train.py)" in (
        capsys.readouterr().out
    )


def test_a_model_that_cannot_be_exported_is_saved_and_the_reason_is_one_line(
    run: Callable[..., list[str]], saved: Saved, here: Path
) -> None:
    said = run(Branches(), FORM)
    assert len(said) == 1
    assert said[0].startswith("ONNX: the export failed, and the model is saved as pt instead (TorchExportError: ")
    assert len(saved) == 1
    assert [path.name for path in here.iterdir()] == ["export_config.json"]


def test_an_export_that_answers_otherwise_is_not_kept(run: Callable[..., list[str]], saved: Saved, here: Path) -> None:
    said = run(Calls(), FORM)
    assert "(onnxruntime's output differs from torch's by " in said[0]
    assert len(saved) == 1
    assert [path.name for path in here.iterdir()] == ["export_config.json"]


def test_the_detector_comes_in_the_opset_of_its_form(run: Callable[..., list[str]], here: Path) -> None:
    torch.manual_seed(4)
    form = json.loads((flat.ARCHITECTURES["detector"] / "export_config.json").read_text())
    model = Detector("efficientnet-nano", 2).eval()
    said = run(model, {**form, "input_shapes": [[1, 3, 64, 64]], "input_types": ["uint8"]})
    assert said[0].startswith(
        f"ONNX: {here}/model.onnx (opset 14; pixels [1, 3, 64, 64] -> boxes and scores); onnxrunt"
    )
    session = onnxruntime.InferenceSession(str(here / "model.onnx"))
    pixels = torch.randint(0, 255, (1, 3, 64, 64), dtype=torch.uint8)
    with torch.no_grad():
        expected = model(pixels).numpy()
    assert np.allclose(session.run(None, {"pixels": pixels.numpy()})[0], expected, atol=1e-4)


def test_the_form_knows_its_own_defaults_and_refuses_the_rest() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    template = {**FORM, "input_names": ["My first input"], "output_names": ["My first output"], "verbose": False}
    template |= {"training": "EVAL", "operator_export_type": "ONNX", "opset_version": 14}
    validator = jsonschema.Draft7Validator(SCHEMA)
    assert validator.is_valid(template)
    wrong: list[dict[str, Any]] = [
        {"model_type": "jax"},
        {"input_shapes": []},
        {"input_shapes": [[1, 3, 8]]},
        {"input_types": ["bfloat16"]},
        {"training": "eval"},
        {"opset_version": 17},
        {"opset_version": 6},
    ]
    for changes in wrong:
        assert not validator.is_valid({**template, **changes}), changes
    for key in ("model_type", "input_shapes", "input_types"):
        assert not validator.is_valid({name: value for name, value in template.items() if name != key})
    assert validator.is_valid({**FORM, "model_type": "keras", "target_opset": 19, "name": "x"})
    assert not validator.is_valid({**FORM, "model_type": "tensorflow", "target_opset": 20})
