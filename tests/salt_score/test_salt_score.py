"""The score: each variant where the truth is known, and the container's file against the host's."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from containers.salt.metric import average_precision
from containers.salt.rle import decode
from containers.salt.settings import VARIANTS
from tests.salt_container import parts
from tests.salt_container.parts import Chain, rows
from workflow.scripts.salt import overlay
from workflow.scripts.salt import score as command


@dataclass(frozen=True)
class Trial:
    chain: Chain
    folder: Path
    manifest: Path

    def score(self, variant: str = "segmentation") -> int:
        words = ["--manifest", str(self.manifest), "--tuned", str(self.chain.tuned), "--variant", variant]
        words += ["--submissions", str(self.folder / "kaggle"), "--container", str(self.folder / "container")]
        return command.main([*words, "--output", str(self.folder / "score")])

    def contain(self, masks: Mapping[str, str]) -> None:
        (self.folder / "container").mkdir(exist_ok=True)
        parts.write_csv(self.folder / "container" / "submission.csv", ("id", "rle_mask"), sorted(masks.items()))

    def json(self, name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / "score" / name).read_text())
        return content


@pytest.fixture
def trial(chain: Chain, submissions: Path, tmp_path: Path) -> Trial:
    shutil.copytree(submissions, tmp_path / "kaggle")
    trial = Trial(chain, tmp_path, chain.manifest)
    trial.contain(rows(submissions / "segmentation.csv"))
    return trial


def expected(trial: Trial, variant: str) -> float:
    found, truth = rows(trial.folder / "kaggle" / f"{variant}.csv"), trial.chain.truth
    scores = [average_precision(decode(truth[name], name), decode(found[name], name)) for name in truth]
    return float(np.mean(scores))


def test_each_variant_is_scored_with_its_interval(trial: Trial, capsys: pytest.CaptureFixture[str]) -> None:
    assert trial.score() == 0
    card = trial.json("card.json")
    assert list(card["metrics"]) == ["holdout_ap"]
    measures = card["metrics"]["holdout_ap"]
    assert list(measures) == list(VARIANTS)
    for variant, measure in measures.items():
        assert measure["ap"] == pytest.approx(expected(trial, variant))
        assert measure["low"] <= measure["ap"] <= measure["high"]
        assert measure["cases"] == 10
    assert measures["segmentation"] == {"ap": 1.0, "low": 1.0, "high": 1.0, "cases": 10}
    assert 0.3 < measures["classifier"]["ap"] < measures["both_post_processing"]["ap"] < 1.0
    assert card["notes"][0].startswith("These images are synthetic: ")
    assert card["notes"][1] == "10 of 10 lines that the container wrote are those of the host's segmentation.csv."
    told = capsys.readouterr().out.splitlines()
    assert told[0].split() == ["test", "95", "%", "interval", "out", "of", "fold"]
    assert told[3].split()[:2] == ["segmentation", "1.0000"]


def test_the_details_are_those_of_grade(trial: Trial) -> None:
    assert trial.score() == 0
    results = trial.json("results.json")
    one = results["variants"]["both_post_processing"]
    assert (one["images"], one["score"]) == (10, pytest.approx(expected(trial, "both_post_processing")))
    empty = sum(not text for text in trial.chain.truth.values())
    assert one["cases"]["both empty"] == {"images": empty, "score": 1.0}
    assert one["coverage"][0]["coverage"] == "none"
    assert sum(group["images"] for group in one["coverage"]) == 10
    assert results["container"] == {"agrees": True}
    with (trial.folder / "score" / "variants.csv").open(newline="") as stream:
        lines = list(csv.DictReader(stream))
    told = json.loads(trial.chain.tuned.read_text())
    assert [line["variant"] for line in lines] == list(VARIANTS)
    assert float(lines[5]["ap"]) == pytest.approx(one["score"], abs=1e-6)
    assert float(lines[5]["out_of_fold_ap"]) == pytest.approx(told["scores"]["both_post_processing"], abs=1e-6)
    assert lines[5]["out_of_fold_images"] == "24"


def test_a_container_that_differs_is_a_note(trial: Trial, capsys: pytest.CaptureFixture[str]) -> None:
    """It may have been given only some of the images."""
    some = dict(list(trial.chain.truth.items())[:4])
    trial.contain({**some, next(iter(some)): "1 2"})
    assert trial.score() == 0
    told = trial.json("card.json")["notes"][1]
    assert told.startswith("3 of 4 lines that the container wrote are those of the host's segmentation.csv; another")
    assert f"note: {told}\n" in capsys.readouterr().err
    assert trial.json("results.json")["container"] == {"agrees": False}


def test_without_the_truth_the_out_of_fold_scores_are_shown(trial: Trial) -> None:
    manifest = parts.write(trial.folder / "manifest.json", {**trial.chain.content, "source": "folder"})
    trial = Trial(trial.chain, trial.folder, manifest)
    assert trial.score() == 0
    card, told = trial.json("card.json"), json.loads(trial.chain.tuned.read_text())
    assert list(card["metrics"]) == ["out_of_fold_ap"]
    assert {name: one["ap"] for name, one in card["metrics"]["out_of_fold_ap"].items()} == told["scores"]
    assert card["notes"][0].startswith("Nobody but Kaggle knows the truth of these images")
    assert card["pictures"][0]["caption"] == "Some of the test's images, with the salt that segmentation found."
    assert trial.json("results.json")["variants"] == {}
    assert (trial.folder / "score" / "overlay.png").is_file()


def test_the_picture_is_the_same_each_time(trial: Trial) -> None:
    assert trial.score() == 0
    picture = trial.folder / "score" / "overlay.png"
    first = picture.read_bytes()
    with Image.open(picture) as image:
        assert image.width == 1000
        colours = {colour for _, colour in image.convert("RGB").getcolors(1 << 24) or []}
    assert {tuple(bytes.fromhex(colour[1:])) for colour in (overlay.TRUE, overlay.FOUND)} <= colours
    assert trial.score() == 0
    assert picture.read_bytes() == first


def test_the_picture_shows_from_the_worst_to_the_best() -> None:
    truth = {"a": "1 100", "b": "1 100", "c": "1 100", "d": "", "e": ""}
    found = {"a": "1 100", "b": "1 10", "c": "1 80", "d": "", "e": "5 5"}
    picked = overlay.pick(found, truth)
    assert set(picked[:2]) == {"b", "e"}
    assert picked[2:] == ["c", "a", "d"]
    assert overlay.pick(found, truth, most=2) in (["b", "a"], ["e", "a"])
    assert set(overlay.pick(found, None)[:4]) == {"a", "b", "c", "e"}


def test_nothing_found_anywhere_is_drawn_too(chain: Chain, tmp_path: Path) -> None:
    images = {entry["id"]: Path(chain.content["root"]) / entry["image"] for entry in chain.content["test"]}
    overlay.draw(tmp_path / "a.png", images, dict.fromkeys(images, ""), None)
    assert (tmp_path / "a.png").stat().st_size > 10_000


def faults(trial: Trial, kind: str) -> str:
    """Make something wrong; what is said of it."""
    if kind == "no file":
        (trial.folder / "kaggle" / "both.csv").unlink()
        return f"{trial.folder}/kaggle/both.csv is not there; run the rule that makes it"
    if kind == "bad file":
        parts.write_csv(trial.folder / "kaggle" / "both.csv", ("id", "rle_mask"), [("000000000b", "1")])
        return f"{trial.folder}/kaggle/both.csv is no valid submission: line 2 of both.csv (000000000b) has a wrong"
    if kind == "no container":
        shutil.rmtree(trial.folder / "container")
        return f"{trial.folder}/container/submission.csv is not there; run the rule that makes it"
    trial.contain({"0123456789": ""})
    return "the container's file names 0123456789, which the host's has not; test it on this data"


@pytest.mark.parametrize("kind", ["no file", "bad file", "no container", "other images"])
def test_what_does_not_fit_is_one_sentence(trial: Trial, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = faults(trial, kind)
    assert trial.score() == 1
    err = capsys.readouterr().err
    assert err.startswith(f"error: {said}")
    assert err.count("\n") == 1
    assert not (trial.folder / "score").exists()
