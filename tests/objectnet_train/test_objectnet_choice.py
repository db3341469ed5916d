"""Candidates: their weights, how they do on twenty real photos, and which of them is chosen."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from containers.kit.files import sha256, write_json
from containers.objectnet.model import model_description
from tests.objectnet_train.conftest import CANDIDATES, Place
from tests.objectnet_train.nets import Tiny
from workflow.scripts.objectnet import choose, compare, weights

KEY = "challenges.objectnet.train.candidates.mine.weights"
CLAUSE = "ObjectNet's images may never be used to tune the parameters of any model"


def tiny(place: Place, folder: Path, monkeypatch: pytest.MonkeyPatch, outputs: int) -> Path:
    """Weights of a participant's own network; returns their record."""
    monkeypatch.setattr(model_description, "Tiny", Tiny, raising=False)
    path = folder / "tiny.pth"
    torch.save(Tiny(outputs).state_dict(), path)
    record = folder / "tiny.json"
    words = ["--candidate=mine", f"--weights={path}", f"--cache={place.folder / 'cache'}", f"--output={record}"]
    assert weights.main(words) == 0
    return record


def test_packaged_weights_are_those_that_were_published(ready: Place) -> None:
    record = json.loads(ready.record("lite2").read_text())
    assert record["candidate"] == "lite2"
    assert Path(record["file"]).is_absolute()
    assert Path(record["file"]).name == "efficientnet-lite2-9656183e.pth"
    assert record["sha256"].startswith("9656183e"), "the name holds the beginning of the checksum"
    assert record["sha256"] == sha256(Path(record["file"]))


def test_a_file_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.pth").write_bytes(b"weights")
    words = ["--candidate=mine", "--cache=cache", "--output=out.json"]
    assert weights.main([*words, "--weights=own.pth"]) == 0
    assert json.loads(Path("out.json").read_text()) == {
        "schema": 1,
        "candidate": "mine",
        "file": str(tmp_path / "own.pth"),
        "sha256": hashlib.sha256(b"weights").hexdigest(),
    }
    assert weights.main([*words, "--weights=none.pth"]) == 1
    assert f"error: {KEY} none.pth is not there; put the trained weights there" in capsys.readouterr().err
    assert weights.main([*words, "--weights=package:efficientnet-lite1"]) == 1
    said = f"error: {KEY} names the package efficientnet-lite1, which is not known to carry weights; did you mean 'eff"
    assert said in capsys.readouterr().err
    assert weights.main([*words, "--weights=package:x"]) == 1
    assert "packages with weights: efficientnet-lite0, efficientnet-lite2\n" in capsys.readouterr().err


def test_both_know_nearly_all_of_twenty_real_photos(chosen: Place) -> None:
    results = {name: json.loads(chosen.compared(name).read_text()) for name in CANDIDATES}
    photos = json.loads(chosen.photos.read_text())
    counts = {
        name: (round(20 * result["top1"]), round(20 * result["top5"]), result["photos"])
        for name, result in results.items()
    }
    assert counts == {"lite0": (18, 19, 20), "lite2": (18, 20, 20)}
    for name, result in results.items():
        first = [row["guesses"][0] == row["class"] for row in result["answers"]]
        assert sum(first) == 18
        assert [row["file"] for row in result["answers"]] == [row["file"] for row in photos["photos"]]
        assert all(len(set(row["guesses"])) == 5 for row in result["answers"])
        assert result["fingerprint"] == photos["fingerprint"]
        assert result["classes"] == 1000
        assert result["model"] == CANDIDATES[name]["model"]
        assert result["weights"] == json.loads(chosen.record(name).read_text())
        assert 0.5 < result["nll"] < 0.8
    choice = json.loads((chosen.folder / "chosen.json").read_text())
    assert choice["chosen"] == "lite2", "as many first guesses, but more among five"
    assert [result["candidate"] for result in choice["candidates"]] == ["lite2", "lite0"]
    assert choice["predict"]["convert_outputs_mode"] == "merge"


def test_mirror_images_and_temperature_have_their_effect(chosen: Place, tmp_path: Path) -> None:
    def run(**predict: Any) -> Any:
        output = tmp_path / "out.json"
        assert compare.main(chosen.compare("lite0", CANDIDATES["lite0"], output, predict=predict)) == 0
        return json.loads(output.read_text())

    plain = json.loads(chosen.compared("lite0").read_text())
    warm = run(temperature=2.0, batch_size=7)
    assert [row["guesses"] for row in warm["answers"]] == [row["guesses"] for row in plain["answers"]]
    assert warm["nll"] > plain["nll"] + 0.05, "it was not too sure of itself"
    flipped = run(tta="flip")
    assert flipped["nll"] != pytest.approx(plain["nll"], abs=1e-3)
    assert flipped["top1"] >= 0.85


def test_a_network_of_313_outputs_must_be_the_only_one(
    chosen: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record = tiny(chosen, tmp_path, monkeypatch, 313)
    settings = {"model": "Tiny", "weights": "tiny.pth", "model_args": {"outputs": 313}}
    output = tmp_path / "mine.json"
    assert compare.main(chosen.compare("mine", settings, output, weights=record)) == 0
    result = json.loads(output.read_text())
    assert (result["classes"], result["top1"], result["nll"], result["photos"]) == (313, None, None, 0)
    words = ["--predict={}", f"--output={tmp_path / 'chosen.json'}"]
    assert choose.main(["--candidate", str(output), *words]) == 0
    assert "chosen: mine, the only one, not judged" in capsys.readouterr().out
    assert choose.main(["--candidate", str(output), str(chosen.compared("lite0")), *words]) == 1
    said = "error: candidate mine has 313 outputs, which ImageNet photos cannot judge; make it the only one in"
    assert said in capsys.readouterr().err


def test_other_outputs_and_changed_weights_are_refused(
    chosen: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record = tiny(chosen, tmp_path, monkeypatch, 10)
    settings = {"model": "Tiny", "weights": "tiny.pth", "model_args": {"outputs": 10}}
    words = chosen.compare("mine", settings, tmp_path / "mine.json", weights=record)
    assert compare.main(words) == 1
    assert "error: candidate mine gives 10 logits, where 1000 (ImageNet) or 313 (ObjectNet)" in capsys.readouterr().err
    (tmp_path / "tiny.pth").write_bytes(b"others")
    assert compare.main(words) == 1
    assert "tiny.pth is not the file that --weights tells of; run the rule that finds" in capsys.readouterr().err
    assert not (tmp_path / "mine.json").exists()


def test_objectnets_photos_are_refused(chosen: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = json.loads(chosen.photos.read_text())
    photo = Path(content["root"], content["photos"][0]["file"])
    (tmp_path / "0123456789abcde.png").write_bytes(photo.read_bytes())
    listed = [{"file": "0123456789abcde.png", "class": 5}]
    for changes in ({"kind": "objectnet"}, {"root": str(tmp_path), "photos": listed}):
        path = tmp_path / "photos.json"
        write_json(path, {**content, **changes})
        assert compare.main(chosen.compare("lite0", CANDIDATES["lite0"], tmp_path / "out.json", photos=path)) == 1
        said = capsys.readouterr().err
        assert said.startswith("error: --photos")
        assert "clause 1" in said
        assert CLAUSE in said
    assert not (tmp_path / "out.json").exists()


def test_an_unreadable_photo_is_named(chosen: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = json.loads(chosen.photos.read_text())
    (tmp_path / "broken.jpg").write_bytes(b"no photo")
    path = tmp_path / "photos.json"
    write_json(path, {**content, "root": str(tmp_path), "photos": [{"file": "broken.jpg", "class": 5}]})
    assert compare.main(chosen.compare("lite0", CANDIDATES["lite0"], tmp_path / "out.json", photos=path)) == 1
    assert f"error: --photos names {tmp_path / 'broken.jpg'}, which gives no answer (" in capsys.readouterr().err


def result(name: str, **changes: Any) -> dict[str, Any]:
    made = {"candidate": name, "model": "Tiny", "classes": 1000, "photos": 20, "fingerprint": "a", "seconds": 1.0}
    return {**made, "top1": 0.5, "top5": 0.8, "nll": 1.0, **changes}


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"top1": 0.55, "top5": 0.6, "nll": 3.0}, {}),
        ({"top5": 0.85, "nll": 3.0}, {}),
        ({"nll": 0.9}, {}),
        ({"candidate": "a"}, {"candidate": "b"}),
    ],
)
def test_ties_are_broken_in_order(
    better: dict[str, Any], worse: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = better.get("candidate", "z")
    write_json(tmp_path / "1.json", result("y", **worse))
    write_json(tmp_path / "2.json", result("z", **better))
    for files in (("1", "2"), ("2", "1")):
        words = [f"--candidate={tmp_path / name}.json" for name in files]
        assert choose.main([*words, "--predict={}", f"--output={tmp_path / 'chosen.json'}"]) == 0
        assert json.loads((tmp_path / "chosen.json").read_text())["chosen"] == expected
        table = capsys.readouterr().out.splitlines()
        assert table[0].split() == ["candidate", "top-1", "top-5", "loss", "seconds", "network"]
        assert table[1].split()[0] == expected
        assert table[-1] == f"chosen: {expected}, the best of 2 on 20 photos"


def test_only_what_was_compared_on_the_same_photos_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_json(tmp_path / "1.json", result("y"))
    write_json(tmp_path / "2.json", result("z", fingerprint="b"))
    words = ["--candidate", str(tmp_path / "1.json"), str(tmp_path / "2.json"), "--predict={}"]
    assert choose.main([*words, f"--output={tmp_path / 'chosen.json'}"]) == 1
    assert "error: candidates y and z were compared on different photos; compare them" in capsys.readouterr().err
