"""When the learning rate starts anew and snapshots are taken, and the mean of several networks and mirror images."""

from __future__ import annotations

import pytest
import torch

from containers.kit.schedule import restarting, restarts
from containers.salt import tta
from containers.salt.snapshots import mean_logits, snapshot_epochs
from tests.salt_nets.nets import LeftEdge, Point, Ramp


def test_the_rate_falls_and_starts_anew() -> None:
    assert [restarting(step, 5, 0.0) for step in range(11)] == pytest.approx(
        [1, 0.8535534, 0.5, 0.1464466, 0, 1, 0.8535534, 0.5, 0.1464466, 0, 1]
    )
    assert [restarting(step, 3, 0.1) for step in range(3)] == pytest.approx([1, 0.55, 0.1])
    assert restarting(7, 1, 0.1) == 1.0


def test_the_schedule_counts_steps() -> None:
    """Cycles of two epochs of three steps."""
    optimizer = torch.optim.SGD(Point(1).parameters(), lr=0.2)
    schedule, rates = restarts(optimizer, 3, 2, 0.05), []
    for _ in range(7):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates[0] == rates[6] == pytest.approx(0.2)
    assert rates[5] == pytest.approx(0.01)
    assert rates[:6] == sorted(rates[:6], reverse=True)


@pytest.mark.parametrize(
    ("epochs", "cycle", "last", "expected"),
    [(30, 10, 0, (10, 20, 30)), (35, 10, 2, (20, 30)), (6, 10, 0, (6,)), (4, 1, 3, (2, 3, 4)), (20, 10, 5, (10, 20))],
)
def test_snapshots_are_taken_where_a_cycle_ends(epochs: int, cycle: int, last: int, expected: tuple[int, ...]) -> None:
    assert snapshot_epochs(epochs, cycle, last) == expected


def test_the_mean_is_that_of_logits() -> None:
    images = torch.randn(2, 1, 4, 6)
    networks = [Ramp(0.0), Ramp(3.0), Ramp(6.0)]
    assert torch.allclose(mean_logits(iter(networks), images), images + 3.0 * torch.arange(6))
    with pytest.raises(ValueError, match="no network"):
        mean_logits([], images)


def test_networks_and_mirror_images_together() -> None:
    """A ramp and its mirror image are level, whatever the slope."""
    images = torch.randn(2, 1, 4, 6)
    assert torch.allclose(tta.logits(Ramp(2.0), images), images + 2.0 * 2.5)
    assert torch.allclose(tta.logits(Ramp(2.0), images, "none"), images + 2.0 * torch.arange(6))
    found = mean_logits([Ramp(2.0), Ramp(-4.0)], images, tta.logits)
    assert torch.allclose(found, images - 1.0 * 2.5, atol=1e-6)
    assert not found.requires_grad


def test_a_classifiers_answer_is_not_mirrored() -> None:
    images = torch.zeros(2, 1, 4, 6)
    images[0, ..., 0], images[1, ..., 0], images[1, ..., -1] = 3.0, 1.0, 5.0
    assert tta.logits(LeftEdge(), images).tolist() == [1.5, 3.0]
