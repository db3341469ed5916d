"""What is exported: equal answers in ONNX Runtime, a description of these very files, and a card."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file

from containers.kit.errors import UserError
from containers.objectnet import description, networks
from containers.objectnet.model import model_description
from tests.objectnet_train.conftest import Place
from tests.objectnet_train.nets import Fickle, Tied, Tiny
from workflow.scripts.objectnet import artifact, choose, compare, export_onnx, validation, weights


def own(place: Place, folder: Path, kind: type[Tiny], outputs: int) -> Place:
    """A place where a participant's network is the only candidate, compared and chosen."""
    mine = Place(folder)
    mine.photos.write_bytes(place.photos.read_bytes())
    torch.save(kind(outputs).state_dict(), folder / "own.pth")
    words = ["--candidate=own", f"--weights={folder / 'own.pth'}", "--cache=none", f"--output={mine.record('own')}"]
    assert weights.main(words) == 0
    settings = {"model": kind.__name__, "weights": "own.pth", "model_args": {"outputs": outputs}}
    assert compare.main(mine.compare("own", settings, mine.compared("own"))) == 0
    words = [f"--candidate={mine.compared('own')}", "--predict={}", f"--output={folder / 'chosen.json'}"]
    assert choose.main(words) == 0
    return mine


def test_the_checkpoint_and_its_description(exported: Path) -> None:
    described = description.beside(exported / "model.safetensors")
    assert described is not None
    assert described == description.beside(exported / "model.onnx")
    assert (described.model, described.classes, described.model_args) == ("EfficientNetLite2", 1000, {})
    assert described.transform is not None
    assert (described.transform.size, described.transform.mean) == (260, (0.5, 0.5, 0.5))
    assert json.loads((exported / "args.json").read_text()) == {
        "MODEL_CLASS_NAME": "EfficientNetLite2",
        "MODEL_CHECKPOINT": "model.safetensors",
    }
    assert sorted(path.name for path in exported.iterdir()) == [
        "MODEL_CARD.md",
        "args.json",
        "card.json",
        "model.json",
        "model.onnx",
        "model.safetensors",
    ]
    assert all(path.stat().st_mode & 0o044 for path in exported.iterdir()), "other users read it in the container"


def test_the_weights_are_the_candidates(exported: Path, chosen: Place) -> None:
    given = torch.load(json.loads(chosen.record("lite2").read_text())["file"], weights_only=True)
    saved = load_file(exported / "model.safetensors")
    assert saved.keys() == given.keys()
    assert all(torch.equal(saved[name], given[name]) for name in given)


@pytest.mark.parametrize("batch", [1, 4, 20])
def test_onnx_answers_like_torch(exported: Path, chosen: Place, batch: int) -> None:
    described = description.read(exported)
    pictures = validation.read(chosen.photos).pictures(described.transform, 20)
    network = networks.network(described.model, described.model_args).eval()
    networks.load(network, exported / "model.safetensors")
    session = onnxruntime.InferenceSession(exported / "model.onnx", providers=["CPUExecutionProvider"])
    assert [one.name for one in session.get_inputs()] == ["images"]
    assert [one.name for one in session.get_outputs()] == ["logits"]
    with torch.inference_mode():
        expected = network(torch.from_numpy(pictures[:batch])).numpy()
    (got,) = session.run(None, {"images": pictures[:batch]})
    assert got.shape == (batch, 1000)
    assert np.abs(got - expected).max() < 1e-3
    assert (np.argsort(-got, 1)[:, :5] == np.argsort(-expected, 1)[:, :5]).all()


def test_onnx_tells_nothing_of_this_machine(exported: Path) -> None:
    content = (exported / "model.onnx").read_bytes()
    assert b"site-packages" not in content
    assert b'File "/' not in content
    model = onnx.load_from_string(content)
    assert model.opset_import[0].version == 18
    assert not any(node.metadata_props or node.doc_string for node in model.graph.node)


def test_equal_inputs_give_equal_bytes(exported: Path, chosen: Place, tmp_path: Path) -> None:
    records = [str(chosen.record(name)) for name in ("lite0", "lite2")]
    words = [word for word in chosen.export(tmp_path / "again") if not word.startswith("--weights")]
    assert artifact.main([*words, "--weights", *records]) == 0
    for path in exported.iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes(), path.name


def test_the_card(exported: Path, chosen: Place) -> None:
    card = json.loads((exported / "card.json").read_text())
    photos = json.loads(chosen.photos.read_text())
    assert (card["schema"], card["challenge"], card["revision"]) == (1, "objectnet", "abc")
    assert card["data"] == {"cases": 20, "fingerprint": photos["fingerprint"]}
    assert card["config"]["train"]["model"] == "EfficientNetLite2"
    top1 = card["metrics"]["photos_top1"]
    assert list(top1) == ["lite0", "lite2"]
    assert top1["lite2"]["accuracy"] == 0.9
    assert (round(top1["lite2"]["low"], 3), round(top1["lite2"]["high"], 3)) == (0.699, 0.972)
    assert card["metrics"]["photos_top5"]["lite2"]["accuracy"] == 1.0
    text = (exported / "MODEL_CARD.md").read_text()
    assert "| lite2 | 0.900 | 0.699 to 0.972 | 1.000 | 0.839 to 1.000 |" in text
    assert "- Input: 260 x 260, the middle square with 0.89 of its shorter side, bicubic, mean 0.5 0.5 0.5" in text
    for word in ("clause 1", "so few photos", "their logits agree"):
        assert any(word in note for note in card["notes"])
        assert word in text


def test_a_network_for_objectnets_own_classes(chosen: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_description, "Tiny", Tiny, raising=False)
    place = own(chosen, tmp_path, Tiny, 313)
    assert artifact.main(place.export(tmp_path / "artifact")) == 0
    described = description.beside(tmp_path / "artifact" / "model.onnx")
    assert described is not None
    assert (described.classes, described.transform, described.model_args) == (313, None, {"outputs": 313})
    card = json.loads((tmp_path / "artifact" / "card.json").read_text())
    assert card["metrics"]["photos_top1"] == {"own": {"accuracy": None, "low": None, "high": None, "cases": 0}}
    assert "313 outputs, which ImageNet photos cannot judge: it was the only candidate" in card["notes"][0]
    text = (tmp_path / "artifact" / "MODEL_CARD.md").read_text()
    assert "- Input: as model/data_transform_description.py prepares it" in text
    assert "| candidate |" not in text


def test_what_cannot_be_exported_still_makes_an_artifact(
    chosen: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(model_description, "Fickle", Fickle, raising=False)
    place, output = own(chosen, tmp_path, Fickle, 1000), tmp_path / "artifact"
    assert artifact.main(place.export(output)) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("no model.onnx: ")]
    assert len(lines) == 1
    assert "PyTorch could not export it (" in lines[0]
    assert not (output / "model.onnx").exists()
    described = description.beside(output / "model.safetensors")
    assert described is not None
    assert list(described.checksums) == ["model.safetensors"]
    note = json.loads((output / "card.json").read_text())["notes"][-1]
    assert note.startswith("There is no ONNX file: PyTorch could not export it (")
    before = sorted(tmp_path.iterdir())
    for runtime in ("onnx", "both"):
        assert artifact.main(place.export(output, f"--runtime={runtime}")) == 1
        said = f"error: --runtime {runtime} needs an ONNX file, but there is none: PyTorch could not export it ("
        assert said in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before, "what was there stays"
    monkeypatch.setattr(export_onnx, "MOST_BYTES", 1000)
    assert artifact.main(place.export(output)) == 0
    assert "no model.onnx: its 0.0 GB of weights do not fit into an ONNX file, which ends" in capsys.readouterr().out


def test_an_export_that_answers_otherwise_is_not_kept(tmp_path: Path) -> None:
    path, pictures = tmp_path / "tiny.onnx", np.zeros((3, 3, 32, 32), np.float32)
    export_onnx.export(Tiny(seed=1).eval(), 32, path)
    assert export_onnx.difference(Tiny(seed=1).eval(), path, pictures) < 1e-5
    with pytest.raises(export_onnx.NotExportedError, match="gives other logits than PyTorch in batches of 1"):
        export_onnx.difference(Tiny(seed=2).eval(), path, pictures)


def test_layers_that_share_a_matrix_are_saved_and_read(tmp_path: Path) -> None:
    path, network = tmp_path / "tied.safetensors", Tied()
    artifact.save(network, path)
    again = Tied()
    networks.load(again, path)
    assert torch.equal(again.second.weight, network.first.weight)
    assert torch.equal(again.second.bias, network.second.bias)


def test_other_weights_than_those_compared_are_refused(chosen: Place, tmp_path: Path) -> None:
    best = json.loads((chosen.folder / "chosen.json").read_text())["candidates"][0]
    with pytest.raises(UserError, match="--weights has no record of the candidate lite2; run the rule that finds"):
        artifact.weights_of(best, [chosen.record("lite0")])
    other = tmp_path / "other.pth"
    other.write_bytes(b"others")
    record = {"schema": 1, "candidate": "lite2", "file": str(other), "sha256": "0"}
    (tmp_path / "lite2.json").write_text(json.dumps(record))
    with pytest.raises(UserError, match=f"{other} is not the file that the candidate lite2 was compared with"):
        artifact.weights_of(best, [tmp_path])
