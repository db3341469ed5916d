"""The training loop: what an interrupted training comes to, rates, batches, and what is told when it goes wrong."""

from __future__ import annotations

import math
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Generator, Tensor, nn

from tests.agrigaia_train import flat

assert flat
import loop  # noqa: E402
import schedule  # noqa: E402

COUNT = 13


def plan(**changes: object) -> loop.Plan:
    values = {"epochs": 6, "batch_size": 4, "optimizer": "AdamW", "learning_rate": 0.05, "weight_decay": 0.01}
    return loop.Plan(**{**values, "lr_scheduler": "cosine", "seed": 3, **changes})


class Lesson:
    """A line to fit, with dropout, so that the random numbers matter."""

    def __init__(self, stop_after: int | None = None) -> None:
        torch.manual_seed(0)
        self.network = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.2), nn.Linear(8, 1))
        self.x = torch.randn(COUNT, 3)
        self.y = self.x @ torch.tensor([[1.0], [-2.0], [0.5]])
        self.steps, self.stop_after = 0, stop_after

    def loss(self, chosen: Tensor, random: Generator) -> Tensor:
        if self.steps == self.stop_after:
            raise KeyboardInterrupt
        self.steps += 1
        noise = torch.randn(len(chosen), 1, generator=random) * 0.01
        off: Tensor = self.network(self.x[chosen]) + noise - self.y[chosen]
        return off.square().mean()

    def judge(self) -> loop.Judged:
        self.network.eval()
        with torch.no_grad():
            loss = float((self.network(self.x) - self.y).square().mean())
        return loop.Judged(-loss, loss, f"val loss {loss:.4f}")

    def fit(self, folder: Path, key: str = "k", **changes: Any) -> dict[str, Tensor]:
        loop.fit(self.network, plan(**changes), COUNT, self.loss, self.judge, folder / "last.checkpoint", key)
        return self.network.state_dict()


@pytest.mark.parametrize("scheduler", schedule.SCHEDULERS)
@pytest.mark.parametrize("optimizer", schedule.OPTIMIZERS)
def test_an_interrupted_training_ends_as_if_it_had_not_been(tmp_path: Path, optimizer: str, scheduler: str) -> None:
    chosen: dict[str, Any] = {"optimizer": optimizer, "lr_scheduler": scheduler, "learning_rate": 0.02}
    whole = Lesson().fit(tmp_path / "whole", **chosen)
    with pytest.raises(KeyboardInterrupt):
        Lesson(stop_after=14).fit(tmp_path / "broken", **chosen)  # in the fifth epoch, whose steps are done again
    rest = Lesson()
    state = rest.fit(tmp_path / "broken", **chosen)
    assert rest.steps == 6
    assert all(torch.equal(state[name], whole[name]) for name in whole)


def test_a_finished_training_is_not_done_again_unless_something_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = Lesson().fit(tmp_path)
    capsys.readouterr()
    again = Lesson()
    state = again.fit(tmp_path)
    assert (again.steps, capsys.readouterr().out.splitlines()[0]) == (
        0,
        f"{tmp_path}/last.checkpoint has 6 of 6 epochs of this training; it goes on from there.",
    )
    assert all(torch.equal(state[name], first[name]) for name in first)
    other = Lesson()
    other.fit(tmp_path, key="other")
    assert other.steps == 18
    assert "last.checkpoint is of other settings or data; the training begins anew." in capsys.readouterr().out
    (tmp_path / "last.checkpoint").write_bytes(b"half a file")
    third = Lesson()
    third.fit(tmp_path, key="other")
    assert third.steps == 18
    assert "last.checkpoint cannot be read (" in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["history.csv", "last.checkpoint"]


def test_the_best_epochs_weights_are_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lesson, seen = Lesson(), []

    def judge() -> loop.Judged:
        seen.append({name: value.clone() for name, value in lesson.network.state_dict().items()})
        return loop.Judged([0.1, 0.9, 0.9, 0.3][len(seen) - 1], 1.0, "")

    loop.fit(lesson.network, plan(epochs=4), COUNT, lesson.loss, judge, tmp_path / "c.pth", "k")
    assert all(torch.equal(value, seen[1][name]) for name, value in lesson.network.state_dict().items())
    assert "The weights of epoch 2 were the best of 4; the model has them." in capsys.readouterr().out
    unjudged = Lesson()
    loop.fit(unjudged.network, plan(epochs=2), COUNT, unjudged.loss, None, tmp_path / "d.pth", "k")
    last = torch.load(tmp_path / "d.pth", weights_only=True)["network"]
    assert all(torch.equal(value, last[name]) for name, value in unjudged.network.state_dict().items())


def test_a_loss_that_is_no_number_ends_it_in_words(tmp_path: Path) -> None:
    lesson = Lesson()
    lesson.x[3] = math.nan
    with pytest.raises(SystemExit, match=r"^error: the loss is no number any more in epoch 1; lower learning-rate$"):
        lesson.fit(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_gpu_that_is_too_small_is_told_and_the_ready_line_comes_first(capsys: pytest.CaptureFixture[str]) -> None:
    def train(_: Namespace) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    said = "error: batch-size 64 at img-size 300 does not fit in the memory of the GPU; lower one of them"
    with pytest.raises(SystemExit, match=f"^{said}$"):
        loop.start(train, lambda: Namespace(batch_size=64, img_size=300))
    assert capsys.readouterr().out == "Executing your training code in train.py::__main__\n"


def test_no_batch_is_of_one_alone() -> None:
    sizes = {9: [4, 5], 8: [4, 4], 10: [4, 4, 2], 1: [1], 5: [5]}
    for count, wanted in sizes.items():
        parts = loop.batches(torch.arange(count), 4)
        assert [len(part) for part in parts] == wanted
        assert torch.cat(parts).tolist() == list(range(count))
    assert [len(part) for part in loop.batches(torch.arange(3), 1)] == [1, 2]


def test_a_cosine_warms_up_and_ends_low_and_a_plateau_is_left() -> None:
    layer = nn.Linear(2, 2)
    optimizer = schedule.optimizer_of("AdamW", layer, 0.1, 0.5)
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.5, 0.0]
    cosine, rates = schedule.Schedule("cosine", optimizer, 0.1, 4, 10), []
    for _ in range(40):
        cosine.step()
        rates.append(cosine.current)
    assert rates[0] == pytest.approx(0.01)
    assert rates.index(max(rates)) in (8, 9)
    assert rates[20] == pytest.approx(0.0505)
    assert rates[-1] == pytest.approx(0.001, abs=2e-4)
    sgd = schedule.optimizer_of("SGD", layer, 0.1, 0.0)
    assert (type(sgd).__name__, sgd.param_groups[0]["momentum"]) == ("SGD", 0.9)
    plateau, seen = schedule.Schedule("ReduceLROnPlateau", sgd, 0.1, 20, 3), []
    for epoch in range(14):
        for _ in range(3):
            plateau.step()
        seen.append(round(plateau.current, 6))
        plateau.end_of_epoch(1.0 / (1 + min(epoch, 3)))  # no better from the fourth on
    assert seen == [0.1] * 9 + [0.03] * 5


def test_the_key_knows_settings_labels_and_pictures(tmp_path: Path) -> None:
    labels, picture = tmp_path / "labels.json", tmp_path / "a.jpg"
    labels.write_text("[1]")
    picture.write_bytes(b"12345")
    keys = [loop.key_of({"a": 1}, [labels, picture]), loop.key_of({"a": 2}, [labels, picture])]
    labels.write_text("[2]")
    keys.append(loop.key_of({"a": 1}, [labels, picture]))
    picture.write_bytes(b"123456")
    keys.append(loop.key_of({"a": 1}, [labels, picture]))
    assert len(set(keys)) == 4
    assert loop.key_of({"a": 1}, [labels, picture]) == keys[-1]
