"""What is tuned: the best of what was tried, never worse than nothing, and readable by who uses it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from containers.salt.metric import of_all
from containers.salt.postprocess import Cleaning, clean, probabilities_of
from containers.salt.settings import VARIANTS, Tune
from containers.salt.tuning import LEAST, THRESHOLDS
from containers.salt.tuning import tune as tuned_alone
from containers.salt.variants import PLAIN, choices_of, masks
from tests.salt_train.commands import Array, Place
from tests.salt_train.conftest import Said
from workflow.scripts.salt import oof, tune
from workflow.scripts.salt import packed as packing


def answers(count: int = 12) -> tuple[Array, Array, Array]:
    """Logits of noisy masks, specks where there is no salt, and a classifier that says 0.8 where there is salt."""
    random = np.random.default_rng(5)
    truths, logits = np.zeros((count, 101, 101), bool), random.normal(-3, 1, (count, 101, 101)).astype(np.float32)
    for number in range(count):
        if number % 3:
            truths[number, : 20 + 5 * number] = True
            logits[number, : 18 + 5 * number] += random.normal(4, 2, (18 + 5 * number, 101))
        else:
            logits[number, 40:46, 40:50] = 3
    salt = np.where(truths.any(axis=(1, 2)), 0.8, 0.65).astype(np.float32)
    return logits.astype(np.float16), truths, salt


def test_it_finds_the_best_of_all() -> None:
    logits, truths, salt = answers()
    content = tune.tune(logits, truths, salt, Tune(crf="off"), workers=1)
    probabilities = probabilities_of(logits)
    alone = tuned_alone(probabilities, truths, Cleaning())
    assert content["scores"]["segmentation_post_processing"] == pytest.approx(alone.score)
    assert content["keep"] == 0.7, "above what it says of images without salt"
    together = tuned_alone(probabilities, truths, Cleaning(), salt=salt > 0.7)
    assert content["scores"]["both_post_processing"] == pytest.approx(together.score)
    assert content["scores"]["both_post_processing"] > content["scores"]["both"] == content["scores"]["segmentation"]
    assert len(content["tables"]["segmentation"]) == 1 + len(THRESHOLDS) * len(LEAST)
    assert max(row["score"] for row in content["tables"]["both"]) == pytest.approx(together.score)
    assert content["images"] == 12
    assert content["notes"] == []


def test_the_scores_are_those_of_the_variants() -> None:
    logits, truths, salt = answers()
    content = json.loads(json.dumps(tune.tune(logits, truths, salt, Tune(), workers=1)))
    choices = choices_of(content, "tuned.json")
    assert tuple(content["scores"]) == VARIANTS
    for name, score in content["scores"].items():
        found = masks(name, salt, probabilities_of(logits), choices)
        assert score == pytest.approx(of_all(truths, found).mean())
    smooth = content["scores"]["segmentation_post_processing"]
    assert (
        smooth > tune.tune(logits, truths, salt, Tune(crf="off"), workers=1)["scores"]["segmentation_post_processing"]
    )
    assert choices.segmentation.crf is not None, "noise is what it is good for"


@pytest.mark.parametrize(
    "told", [Tune(crf="on", certainty=0.51, compat=50.0), Tune(full=1), Tune(crf="off", component=10000)]
)
def test_it_is_never_worse_than_nothing(told: Tune) -> None:
    """Of masks that are right as they are, whatever the settings ask for."""
    truths = np.zeros((4, 101, 101), bool)
    truths[1, ::7], truths[2, 50:, 50:], truths[3, 3:9, 3:9] = True, True, True
    logits = np.where(truths, 4.0, -4.0).astype(np.float16)
    content = tune.tune(logits, truths, np.array([0.2, 0.9, 0.9, 0.9]), told, workers=1)
    assert content["scores"]["segmentation_post_processing"] == content["scores"]["segmentation"] == 1.0
    assert content["scores"]["both_post_processing"] == content["scores"]["both"] == 1.0
    assert choices_of(content, "tuned.json").segmentation == choices_of(content, "tuned.json").both == PLAIN
    assert content["notes"] == [
        f"{name}: no post-processing scores better out of fold than what tune asks for, and is taken"
        for name in ("segmentation", "both")
    ]


def test_a_useless_classifier_does_no_harm() -> None:
    logits, truths, _ = answers()
    salt = np.full(len(truths), 0.1, np.float32)
    content = tune.tune(logits, truths, salt, Tune(crf="off"), workers=1)
    assert content["keep"] < 0.1
    assert content["scores"]["both_post_processing"] == content["scores"]["segmentation_post_processing"]
    assert content["scores"]["both"] == pytest.approx(4 / 12), "it loses all salt"


def test_batches_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    logits, truths, salt = answers()
    at_once = tune.tune(logits, truths, salt, Tune(), workers=1)
    monkeypatch.setattr(tune, "BATCH", 5)
    assert tune.tune(logits, truths, salt, Tune(), workers=1) == at_once


def test_the_command_tunes_on_what_was_judged(trained: Place, tmp_path: Path, said: Said) -> None:
    def run(*folds: int, settings: str = "{}") -> int:
        folders = [str(trained.output("segmentation", fold)) for fold in folds]
        words = ["--packed", str(trained.packed), "--oof", str(trained.oof), "--settings", settings, "--workers", "1"]
        return tune.main([*words, "--folds", *folders, "--output", str(tmp_path / "tuned.json")])

    assert run(1, 0) == 0
    assert json.loads((tmp_path / "tuned.json").read_text())["images"] == 24
    assert run(1, settings='{"crf": "off"}') == 0
    content, images = json.loads((tmp_path / "tuned.json").read_text()), packing.read(trained.packed)
    judged = oof.judged([trained.output("segmentation", 1)], "segmentation", images)
    assert judged.places.tolist() == images.judged(1).tolist()
    truths = images.masks[judged.places]
    found = clean(probabilities_of(judged.logits), choices_of(content, "tuned.json").segmentation)
    assert content["scores"]["segmentation_post_processing"] == pytest.approx(of_all(truths, found).mean())
    assert content["images"] == 12
    assert run(1, 1) == 1
    assert said() == f"{trained.output('segmentation', 1)} is a second time fold 1; give each fold once"
    assert run(1, settings='{"certainty": 0.2}') == 1
    assert said() == "tune.certainty 0.2 is not between 0.5 and 1"


def test_images_of_one_kind_are_noted() -> None:
    truths = np.zeros((3, 101, 101), bool)
    content = tune.tune(np.full((3, 101, 101), -2, np.float16), truths, np.full(3, 0.2), Tune(crf="off"), workers=1)
    assert content["notes"] == ["all images tuned on are without salt, so that little can be chosen"]
    assert set(content["scores"].values()) == {1.0}
