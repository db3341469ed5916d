"""The artifact: what is in it, what its card says, and what is refused before anything of it is written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from containers.kit.files import sha256
from containers.salt.settings import VARIANTS
from tests.salt_container import parts
from tests.salt_container.parts import Chain
from workflow.scripts.salt import artifact as command
from workflow.scripts.salt import card as cards

KINDS = ("classifier", "segmentation")


def card(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "card.json").read_text())
    return content


@pytest.fixture
def own(chain: Chain, tmp_path: Path) -> Chain:
    """A copy of the trained folds that a test may change."""
    for kind in KINDS:
        shutil.copytree(chain.folder / kind, tmp_path / kind)
    return replace(
        chain,
        folder=tmp_path,
        tuned=Path(shutil.copyfile(chain.tuned, tmp_path / "tuned.json")),
        classifier=tuple(tmp_path / "classifier" / path.name for path in chain.classifier),
        segmentation=tuple(tmp_path / "segmentation" / path.name for path in chain.segmentation),
    )


def make(chain: Chain, **changes: Any) -> int:
    return command.main([*chain.words(**changes), "--output", str(chain.folder / "made")])


def test_every_snapshot_is_there_with_its_bytes(chain: Chain, artifact: Path) -> None:
    expected = {"card.json", "card.md", "model.json"}
    for kind in KINDS:
        for number in (0, 1):
            for epoch in (2, 4):
                name = f"{kind}/fold_{number}_epoch_{epoch}.safetensors"
                own = getattr(chain, kind)[number] / f"epoch_{epoch}.safetensors"
                assert (artifact / name).read_bytes() == own.read_bytes()
                expected.add(name)
    assert {str(path.relative_to(artifact)) for path in artifact.rglob("*") if path.is_file()} == expected


def test_the_card_says_what_was_trained_and_how_good_it_is(chain: Chain, artifact: Path) -> None:
    found, told = card(artifact), json.loads(chain.tuned.read_text())
    assert found["network"] == (
        "classifier tests.salt_container.nets:AnyBright, 4 networks of 2 folds with 0.00 M weights each; "
        "segmentation tests.salt_container.nets:Bright, 4 networks of 2 folds with 0.00 M weights each"
    )
    assert {key: found["data"][key] for key in ("cases", "with salt", "without")} == {
        "cases": 24,
        "with salt": 16,
        "without": 8,
    }
    measures = found["metrics"]["out_of_fold_ap"]
    assert list(measures) == list(VARIANTS)
    for variant, measure in measures.items():
        assert measure["ap"] == pytest.approx(told["scores"][variant], abs=1e-9)
        assert measure["cases"] == 24
        assert measure["low"] <= measure["ap"] <= measure["high"]
    assert measures["segmentation"]["ap"] == 1.0
    assert measures["both_post_processing"]["ap"] < 1.0 > measures["classifier"]["ap"]
    assert found["tuned"] == {name: told[name] for name in ("keep", "segmentation", "both", "images")}
    assert found["notes"][0].startswith("Thresholds, least size and CRF were tuned on the very 24 out-of-fold images")
    assert found["notes"][-3:] == ["a remark on the classifier", "a remark on the segmentation", "the CRF did no good"]


def test_the_cards_curves_keep_both_networks_apart(artifact: Path) -> None:
    history = card(artifact)["history"]
    assert [(row["fold"], row["epoch"]) for row in history] == [(f, e) for f in (0, 1, 0, 1) for e in (1, 2, 3, 4)]
    assert len({tuple(row) for row in history}) == 1
    assert history[0]["classifier_auc"] == 0.95
    assert history[0]["segmentation_ap"] is None
    assert history[-1]["segmentation_ap"] == 0.8
    assert history[-1]["classifier_auc"] is None
    assert not any("seconds" in name for name in history[0])


def test_the_card_for_people(artifact: Path) -> None:
    lines = (artifact / "card.md").read_text().splitlines()
    assert "- Input: 101 x 101 mirrored to 128 x 128, 1 channel, less 125, divided by 10" in lines
    assert "| classifier | 0 | 4 | 12 | 12 | train_loss 0.5000, val_loss 0.4000, accuracy 0.9000, auc 0.9500 |" in lines
    measure = card(artifact)["metrics"]["out_of_fold_ap"]["both"]
    assert f"| both | {measure['ap']:.4f} | {measure['low']:.4f} to {measure['high']:.4f} | 24 |" in lines
    assert "- Note: An image is kept in both_post_processing where its probability of salt is above 0.6." in lines
    assert any(
        line.startswith(
            "- Note: Post-processing of both: probabilities above 0.4 are salt, no CRF, images with fewer than 500 "
            "pixels of salt have none; out of fold the mean AP goes from 1.0000 to 0."
        )
        for line in lines
    )


def test_a_cleaning_in_words() -> None:
    crf = {"sigma": 3.0, "compat": 2.0, "certainty": 0.7, "rounds": 10}
    sizes = {"component": 5, "hole": 6, "least": 7, "full": 9000}
    assert cards.cleaned({"threshold": 0.45, "crf": crf, **sizes}) == (
        "probabilities above 0.45 are salt, a dense CRF with sigma 3 and compatibility 2, parts of fewer than 5 pixels "
        "are removed, holes of fewer than 6 pixels are filled, images with fewer than 7 pixels of salt have none, "
        "images with more than 9000 pixels of salt are full of it"
    )


def test_equal_trainings_make_equal_artifacts(own: Chain, artifact: Path) -> None:
    """In whatever order the folds are named, and however long they took."""
    for folder in (*own.classifier, *own.segmentation):
        said = json.loads((folder / "fold.json").read_text())
        parts.change(folder / "fold.json", history=[{**row, "seconds": 99.0} for row in said["history"]])
    assert make(own, classifier=own.classifier[::-1], segmentation=own.segmentation[::-1]) == 0
    for path in sorted(artifact.rglob("*")):
        if path.is_file():
            assert (own.folder / "made" / path.relative_to(artifact)).read_bytes() == path.read_bytes()


def test_only_some_folds_of_the_segmentation(own: Chain) -> None:
    with np.load(own.segmentation[1] / "judged.npz") as content:
        count = len(content["index"])
    own = replace(own, segmentation=own.segmentation[1:])
    parts.tuned(own.tuned, own.packed, own.classifier, own.segmentation)
    assert make(own) == 0
    measures = card(own.folder / "made")["metrics"]["out_of_fold_ap"]
    assert {measure["cases"] for measure in measures.values()} == {count}


def record(of: str, number: int, **changes: Any) -> Callable[[Chain], None]:
    return lambda chain: parts.change(getattr(chain, of)[number] / "fold.json", **changes)


def snapshot(chain: Chain, **tensors: torch.Tensor) -> None:
    folder = chain.segmentation[0]
    path = folder / "epoch_2.safetensors"
    save_file({**load_file(path), **tensors}, path)
    said = json.loads((folder / "fold.json").read_text())["snapshots"]
    parts.change(folder / "fold.json", snapshots=[{**said[0], "sha256": sha256(path)}, said[1]])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (record("classifier", 0, kind="segmentation"), "fold_0 holds no classifier of the salt challenge|is of a segm"),
        (record("segmentation", 1, model_args={"level": 0.6}), "differ in model_args; train all folds alike"),
        (record("segmentation", 1, fold=0), "fold_1 was trained on other images or folds than"),
        (record("segmentation", 1, snapshots=[]), "fold_1/fold.json names no snapshot; train it again"),
        (record("classifier", 1, data="others"), "fold_1 was trained on other images or folds than"),
        (
            lambda chain: [record("segmentation", number, inputs={"channels": 1})(chain) for number in (0, 1)],
            "--classifier and --segmentation were trained on other inputs; train both alike",
        ),
        (
            lambda chain: (chain.classifier[0] / "epoch_4.safetensors").write_bytes(b"x"),
            "epoch_4.safetensors is not the file that was written down (its SHA-256 differs)",
        ),
        (
            lambda chain: (chain.classifier[0] / "epoch_4.safetensors").unlink(),
            "epoch_4.safetensors, which belongs to the model, is not there",
        ),
        (lambda chain: (chain.classifier[0] / "judged.npz").unlink(), "judged.npz does not hold what a network said"),
        (lambda chain: (chain.classifier[0] / "fold.json").write_text("[]"), "does not describe a trained fold; train"),
        (
            lambda chain: snapshot(chain, level=torch.tensor([float("nan")])),
            "has weights level that are not finite; train again with a lower lr",
        ),
        (lambda chain: snapshot(chain, more=torch.zeros(1)), "does not suit segmentation.model tests.salt_container"),
        (lambda chain: parts.change(chain.tuned, images=7), "of classifier on 7 images, and these folds give"),
        (lambda chain: parts.change(chain.tuned, both={"treshold": 0.5}), "both.treshold is not a setting; did you"),
        (lambda chain: parts.change(chain.tuned, keep=None), "tuned.json does not hold what was tuned; make it again"),
        (lambda chain: parts.change(chain.tuned, keep=1.5), "tuned.json.keep 1.5 is not between 0 and 1"),
        (lambda chain: parts.change(chain.tuned, scores={}), "does not hold what was tuned (KeyError: 'classifier')"),
    ],
)
def test_what_does_not_fit_is_one_sentence(
    own: Chain, change: Callable[[Chain], object], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change(own)
    capsys.readouterr()
    assert make(own) == 1
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(told) == 1
    assert any(part in told[0] for part in said.split("|")), told[0]
    assert not (own.folder / "made").exists()
    assert sorted(path.name for path in own.folder.iterdir()) == ["classifier", "segmentation", "tuned.json"]


def test_a_classifier_that_lacks_a_fold_is_one_sentence(own: Chain, capsys: pytest.CaptureFixture[str]) -> None:
    assert make(own, classifier=own.classifier[:1]) == 1
    assert "--classifier has no fold 1, which --segmentation has; name it too" in capsys.readouterr().err
