"""The loop: stopped at any step it goes on to the same weights; what a checkpoint holds; early stopping."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from containers.kit import checkpoint, rng
from containers.kit.distributed import Group
from containers.kit.errors import UserError
from containers.kit.loop import fit, placed
from containers.kit.task import Plan, Progress, Row, Weights

PLAN = Plan(
    epochs=3,
    patience=0,
    batch=4,
    lr=0.05,
    weight_decay=0.1,
    warmup=0.2,
    amp="auto",
    loaders=0,
    checkpoint_minutes=0,
    seed=1,
)
STEPS = 9  # three epochs of ten cases in batches of four
ALONE = Group(torch.device("cpu"))


class StopError(Exception):
    """What a kill is in the real world."""


class Line(Dataset[dict[str, Tensor]]):
    def __getitem__(self, item: tuple[int, int]) -> dict[str, Tensor]:
        epoch, index = item
        noise = torch.rand(3, generator=torch.Generator().manual_seed(100 * epoch + index))
        return {"x": noise + index / 10, "y": torch.tensor([index / 5])}


class Toy:
    """A small regression with dropout, batch norm, and draws from every kind of random numbers."""

    def __init__(self, stop_at: int = -1, scores: list[float] | None = None) -> None:
        rng.seed_all(0)
        self.name, self.cases, self.data = "toy", 10, Line()
        self.model: nn.Module = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 1))
        self.steps, self.stop_at, self.scores = 0, stop_at, scores
        self.told: list[Row] = []
        self.best: list[tuple[Weights, Row]] = []

    def weights(self, batch: dict[str, Tensor]) -> Tensor:
        return torch.tensor([float(len(batch["y"]))])

    def losses(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        if self.steps == self.stop_at:
            raise StopError
        self.steps += 1
        errors: Tensor = model(batch["x"]) - batch["y"]
        return (errors**2).sum().reshape(1)

    def validate(self, model: nn.Module, group: Group) -> tuple[tuple[float, ...], Row]:  # noqa: ARG002
        if self.scores:
            epoch = len(self.told)
            return (self.scores[epoch],), {"score": self.scores[epoch]}
        loss = float(model(torch.ones(4, 3)).abs().sum())
        return (-loss,), {"val_loss": loss}

    def improved(self, weights: Weights, row: Row) -> None:
        self.best.append((weights, row))

    def wrote(self, history: list[Row]) -> None:
        self.told = list(history)


def same(a: Weights, b: Weights) -> bool:
    return a.keys() == b.keys() and all(torch.equal(value, b[name]) for name, value in a.items())


def timeless(history: list[Row]) -> list[Row]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in history]


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> tuple[Toy, Progress]:
    task = Toy()
    return task, fit(task, PLAN, ALONE, tmp_path_factory.mktemp("straight") / "c.pt", "key")


@pytest.mark.parametrize("minutes", [0.0, 60.0])
@pytest.mark.parametrize("stop_at", range(STEPS))
def test_stopped_anywhere_it_ends_the_same(
    stop_at: int, minutes: float, tmp_path: Path, straight: tuple[Toy, Progress]
) -> None:
    plan, path = replace(PLAN, checkpoint_minutes=minutes), tmp_path / "c.pt"
    with pytest.raises(StopError):
        fit(Toy(stop_at), plan, ALONE, path, "key")
    again = Toy()
    progress = fit(again, plan, ALONE, path, "key")
    assert same(again.model.state_dict(), straight[0].model.state_dict())
    assert same(progress.best, straight[1].best)
    assert timeless(progress.history) == timeless(straight[1].history)
    assert [row["epoch"] for row in again.told] == [1, 2, 3]
    kept = stop_at if minutes == 0 else stop_at // 3 * 3
    assert again.steps == STEPS - kept, "what the checkpoint holds is not done again"


def test_what_an_epochs_end_writes_is_there_before_it_counts(tmp_path: Path, straight: tuple[Toy, Progress]) -> None:
    path, seen = tmp_path / "c.pt", dict[int, Weights]()

    def ended(epoch: int, model: nn.Module) -> None:
        weights = {name: value.clone() for name, value in model.state_dict().items()}
        assert epoch not in seen or same(seen[epoch], weights), "the same again"
        state = checkpoint.load(path, "key")
        assert (state["progress"]["epoch"] if state else 0) == epoch - 1
        first = epoch not in seen
        seen[epoch] = weights
        if epoch == 2 and first:
            raise StopError

    plan = replace(PLAN, checkpoint_minutes=60)
    with pytest.raises(StopError):
        fit(Toy(), plan, ALONE, path, "key", ended)
    again = Toy()
    fit(again, plan, ALONE, path, "key", ended)
    assert again.steps == 6, "the second epoch is learned again"
    assert list(seen) == [1, 2, 3]
    assert same(seen[3], straight[0].model.state_dict())


@pytest.mark.parametrize("stop_at", [2, 3, 7])
def test_sgd_with_restarts_can_be_stopped_too(stop_at: int, tmp_path: Path) -> None:
    plan = replace(PLAN, epochs=4, optimizer="sgd", cycle=2, floor=0.1, lr=0.02)
    whole = Toy()
    progress = fit(whole, plan, ALONE, tmp_path / "whole.pt", "key")
    # At each epoch's last step: two fifths of the way from all to a tenth, and all the way.
    assert [row["lr"] for row in progress.history] == pytest.approx([0.0137812, 0.002, 0.0137812, 0.002], abs=1e-6)
    with pytest.raises(StopError):
        fit(Toy(stop_at), plan, ALONE, tmp_path / "c.pt", "key")
    again = Toy()
    fit(again, plan, ALONE, tmp_path / "c.pt", "key")
    assert same(again.model.state_dict(), whole.model.state_dict())
    other = Toy()
    fit(other, replace(plan, optimizer="adamw"), ALONE, tmp_path / "adamw.pt", "key")
    assert not same(other.model.state_dict(), whole.model.state_dict())


def test_a_model_lies_in_memory_as_its_convolutions_are_fastest() -> None:
    flat = placed(nn.Sequential(nn.Conv2d(2, 4, 3), nn.Linear(2, 2)), ALONE)
    assert next(flat.parameters()).is_contiguous(memory_format=torch.channels_last)
    solid = placed(nn.Sequential(nn.Conv3d(2, 4, 3), nn.Conv2d(2, 4, 3)), ALONE)
    kernels = [value for value in solid.parameters() if value.ndim > 1]
    assert kernels[0].is_contiguous(memory_format=torch.channels_last_3d)
    assert kernels[1].is_contiguous(memory_format=torch.channels_last)


def test_workers_do_not_alter_the_weights(tmp_path: Path, straight: tuple[Toy, Progress]) -> None:
    task = Toy()
    fit(task, replace(PLAN, loaders=2), ALONE, tmp_path / "c.pt", "key")
    assert same(task.model.state_dict(), straight[0].model.state_dict())


def test_it_stops_early_and_keeps_the_best(tmp_path: Path) -> None:
    task = Toy(scores=[0.1, 0.9, 0.2, 0.3, 0.95])
    progress = fit(task, replace(PLAN, epochs=5, patience=2), ALONE, tmp_path / "c.pt", "key")
    assert [row["score"] for row in progress.history] == [0.1, 0.9, 0.2, 0.3]
    assert progress.row["epoch"] == 2
    assert [row["epoch"] for _, row in task.best] == [1, 2]
    assert not same(progress.best, task.model.state_dict())
    done = fit(Toy(stop_at=0), replace(PLAN, epochs=5, patience=2), ALONE, tmp_path / "c.pt", "key")
    assert same(done.best, progress.best), "taken up again, it knows that it is over"


def test_a_loss_that_is_no_number_stops_with_a_sentence(tmp_path: Path) -> None:
    task = Toy()
    with torch.no_grad():
        next(task.model.parameters()).fill_(float("nan"))
    with pytest.raises(UserError, match=r"^toy: the loss is nan in epoch 1; lower train.lr$"):
        fit(task, PLAN, ALONE, tmp_path / "c.pt", "key")
    with pytest.raises(UserError, match=r"lower segmentation.lr$"):
        fit(task, replace(PLAN, section="segmentation"), ALONE, tmp_path / "other.pt", "key")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda content: content[:-100], "is damaged"),
        (lambda content: content[:-50] + b"x" + content[-49:], "is damaged"),
        (lambda content: b"", "is not a checkpoint of this program"),  # noqa: ARG005
        (lambda content: content.replace(b"\nkey\n", b"\nother\n", 1), "belongs to a training with other settings"),
    ],
)
def test_a_checkpoint_that_is_not_to_be_trusted_is_set_aside(
    harm: object, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], straight: tuple[Toy, Progress]
) -> None:
    path = tmp_path / "c.pt"
    with pytest.raises(StopError):
        fit(Toy(stop_at=5), PLAN, ALONE, path, "key")
    assert callable(harm)
    path.write_bytes(harm(path.read_bytes()))
    task = Toy()
    fit(task, PLAN, ALONE, path, "key")
    assert task.steps == STEPS
    assert same(task.model.state_dict(), straight[0].model.state_dict())
    assert f"{path} {said}" in capsys.readouterr().err
    assert (tmp_path / "c.pt.aside").is_file()


def test_a_checkpoint_holds_all_that_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "c.pt"
    (tmp_path / ".c.leftover.pt").write_text("of a killed writer")
    with pytest.raises(StopError):
        fit(Toy(stop_at=4), PLAN, ALONE, path, "key")
    state = checkpoint.load(path, "key")
    assert state is not None
    assert set(state) == {"model", "optimizer", "schedule", "scaler", "rng", "progress"}
    assert set(state["rng"][0]) == {"python", "numpy", "torch", "cuda"}
    assert (state["progress"]["epoch"], state["progress"]["step"]) == (1, 1)
    assert state["schedule"]["last_epoch"] == 4
    assert [path.name for path in tmp_path.iterdir()] == ["c.pt"]
