"""What a training leaves for people and reports: whole after each epoch, the same after an interruption."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest

from tests.agrigaia_train import flat
from tests.agrigaia_train.test_agrigaia_loop import COUNT, Lesson, plan

assert flat
import loop  # noqa: E402
import mean_ap  # noqa: E402
import plots  # noqa: E402
import record  # noqa: E402
import report  # noqa: E402
import scores  # noqa: E402
import torch  # noqa: E402


def history(folder: Path) -> list[dict[str, str]]:
    with (folder / "history.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def untimed(folder: Path) -> list[dict[str, str]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in history(folder)]


def test_an_interrupted_training_tells_of_all_its_epochs(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    Lesson().fit(whole)
    assert [row["epoch"] for row in history(whole)] == ["1", "2", "3", "4", "5", "6"]
    for row in history(whole):
        assert float(row["score"]) == -float(row["val_loss"])
        assert all(math.isfinite(float(row[name])) for name in ("train_loss", "lr", "seconds"))
    with pytest.raises(KeyboardInterrupt):
        Lesson(stop_after=14).fit(broken)
    assert untimed(broken) == untimed(whole)[:4]
    before = history(broken)
    (broken / "history.csv").unlink()
    with pytest.raises(KeyboardInterrupt):
        Lesson(stop_after=0).fit(broken)  # killed again before an epoch is done
    assert history(broken) == before
    Lesson().fit(broken)
    assert untimed(broken) == untimed(whole)
    assert history(broken)[:4] == before


def test_a_finished_training_tells_the_very_same_again(tmp_path: Path) -> None:
    Lesson().fit(tmp_path)
    said = (tmp_path / "history.csv").read_bytes()
    Lesson().fit(tmp_path)
    assert (tmp_path / "history.csv").read_bytes() == said


def test_another_training_leaves_nothing_of_the_one_before(tmp_path: Path) -> None:
    Lesson().fit(tmp_path)
    for name in ("scores.json", "answers.json"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(KeyboardInterrupt):
        Lesson(stop_after=0).fit(tmp_path, key="other")
    assert [path.name for path in tmp_path.iterdir()] == ["last.checkpoint"]


def test_a_checkpoint_of_an_older_form_is_not_gone_on_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Lesson().fit(tmp_path)
    state = torch.load(tmp_path / "last.checkpoint", weights_only=True)
    torch.save({name: value for name, value in state.items() if name != "history"}, tmp_path / "last.checkpoint")
    lesson = Lesson()
    lesson.fit(tmp_path)
    assert lesson.steps == 18
    assert "last.checkpoint cannot be read (KeyError); the training begins anew." in capsys.readouterr().out


def test_of_equal_scores_the_one_with_less_loss_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lesson, told = Lesson(), iter([(0.5, 1.0), (0.5, 0.4), (0.5, 0.6), (0.9, math.nan)])
    loop.fit(
        lesson.network,
        plan(epochs=4),
        COUNT,
        lesson.loss,
        lambda: loop.Judged(*next(told), ""),
        tmp_path / "c.pth",
        "k",
    )
    assert "The weights of epoch 2 were the best of 4; the model has them." in capsys.readouterr().out
    assert [row["val_loss"] for row in history(tmp_path)] == ["1", "0.4", "0.6", "nan"]


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(SystemExit, match=r"^error: .*/out/scores.json cannot be written \(.*\); make room there, or"):
        record.write_json(tmp_path / "out" / "scores.json", {})


def test_the_classifiers_scores_for_programs(tmp_path: Path) -> None:
    found = scores.as_json(scores.counted([0, 0, 0, 1], [0, 0, 1, 1], 3), ["a", "ä", "none"])
    record.write_json(tmp_path / "scores.json", found)
    assert json.loads((tmp_path / "scores.json").read_text(encoding="utf-8")) == found
    assert (found["score"], found["judged"], found["counts"]) == (0.75, 4, [[2, 1, 0], [0, 1, 0], [0, 0, 0]])
    assert found["per_label"]["a"] == {"precision": 1.0, "recall": 2 / 3, "f1": 0.8}
    assert found["per_label"]["none"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0}


def test_the_detectors_scores_for_programs_have_no_numbers_that_json_has_not() -> None:
    box, label = np.array([[0.0, 0.0, 9.0, 9.0]]), np.array([0])
    true = mean_ap.Boxes(box, label, np.ones(1))
    found = report.as_json(mean_ap.evaluated([true], [true], 2), ["a", "b"], 1)
    assert (found["score"], found["map50"], found["boxes"], found["judged"]) == (1.0, 1.0, 1, 1)
    assert found["per_label"]["a"] == {
        "pictures": 1,
        "boxes": 1,
        "precision": 1.0,
        "recall": 1.0,
        "map50": 1.0,
        "map": 1.0,
    }
    nothing = dict.fromkeys(("precision", "recall", "map50", "map"))
    assert found["per_label"]["b"] == {"pictures": 0, "boxes": 0, **nothing}
    json.dumps(found, allow_nan=False)


def test_boxes_in_a_frame_are_put_back_into_their_picture() -> None:
    """160 x 120 in the middle of 80 x 80: half the size, with 10 pixels of grey above and below."""
    frame = torch.tensor([[0.0, 10.0, 80.0, 70.0], [5.0, 15.0, 10.0, 25.0]])
    assert plots.in_picture(frame, (160, 120), 80) == [[0.0, 0.0, 160.0, 120.0], [10.0, 10.0, 20.0, 30.0]]
    assert plots.in_picture(frame[:0], (160, 120), 80) == []
