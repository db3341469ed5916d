"""Learning curves: what is drawn of a metrics.csv, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.report import inputs
from tests.report.pages import Element, parsed
from workflow.scripts.slipway.pages import curves, history


def drawn(tmp_path: Path, text: str) -> Element:
    return parsed(curves.section(history.read(inputs.write(tmp_path, "metrics.csv", text))) or "")


def test_curves_of_folds(tmp_path: Path) -> None:
    section = drawn(tmp_path, inputs.metrics(folds=5, epochs=24))
    titles = [caption.one("strong").text for caption in section.all("figcaption")]
    assert titles == ["Loss", "AUC severe", "AUC COVID-19"]
    loss, severe, _ = section.all("figure")
    assert [key.text for key in loss.all("span", "key")] == ["validation", "training"]
    assert len(loss.all("polyline", "fold")) == 10
    assert len(loss.all("polyline", "mean")) == 2
    mean = severe.one("polyline", "mean").attributes["points"].split()
    assert len(mean) == 20  # folds 1 and 3 stopped after 21 epochs, and the first has no AUC
    assert len(severe.all("circle", "best")) == 5
    assert len(severe.all("line", "chance")) == 1


def test_a_card_keeps_what_metrics_csv_says() -> None:
    rows = [
        {"fold": 0, "epoch": 1, "val_loss": 0.0, "auc_severe": None},
        {"fold": 0, "epoch": 2, "val_loss": 0.5, "auc_severe": 0.75},
        {"fold": 1, "epoch": 1, "val_loss": 1.0, "auc_severe": 1.0},
    ]
    found = history.of_card(Path("card.json"), {"history": rows})
    assert {name: series.folds for name, series in found.items()} == {
        "val_loss": (((1, 0.0), (2, 0.5)), ((1, 1.0),)),
        "auc_severe": (((2, 0.75),), ((1, 1.0),)),
    }


def test_a_single_fold_is_drawn_strong(tmp_path: Path) -> None:
    section = drawn(tmp_path, "epoch,val_loss\n0,1.0\n1,0.5\n2,0.25\n")
    figure = section.one("figure")
    assert not figure.all("polyline", "fold")
    points = [
        tuple(map(float, point.split(","))) for point in figure.one("polyline", "mean").attributes["points"].split()
    ]
    assert points[0][0] < points[1][0] < points[2][0]
    assert points[0][1] < points[1][1] < points[2][1]  # the loss falls: further down is a larger y
    assert not section.all("p", "quiet")
    assert "validation ends at 0.250" in figure.one("svg", role="img").attributes["aria-label"]


def test_one_epoch_is_a_dot(tmp_path: Path) -> None:
    figure = drawn(tmp_path, "fold,epoch,val_loss\n0,0,0.7\n").one("figure")
    assert not figure.all("polyline")
    assert len(figure.all("circle")) == 1


@pytest.mark.parametrize("text", ["", "epoch,seconds\n0,3\n", "epoch,val_loss\n0,\n1,nan\n"])
def test_nothing_to_draw(tmp_path: Path, text: str) -> None:
    assert drawn(tmp_path, text).all() == []


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.45, 1.0, [0.6, 0.8, 1.0]), (0, 39, [0, 10, 20, 30]), (0, 2, [0, 0.5, 1, 1.5, 2]), (3, 3, [3])],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert list(history.ticks(low, high, 6)) == expected
