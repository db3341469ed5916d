"""Average precision, held against COCO's own program; and what else a detector is made of."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tests.agrigaia_train import flat

assert flat
import boxes  # noqa: E402
import losses  # noqa: E402
import mean_ap  # noqa: E402
from report import table  # noqa: E402

LABELS = 3


def some(seed: int) -> tuple[list[mean_ap.Boxes], list[mean_ap.Boxes]]:
    """Answers near the truth and beside it, many of equal scores; pictures with more than count, and with none."""
    random = np.random.default_rng(seed)
    found, true = [], []
    for picture in range(12):
        count = 0 if picture in (3, 7) else int(random.integers(1, 9))
        corners = random.integers(0, 80, (count, 2))
        own = np.concatenate([corners, corners + random.integers(5, 30, (count, 2))], 1).astype(float)
        labels = random.integers(0, 2 if picture % 2 else LABELS, count)
        near = np.repeat(own, 3, 0) + random.integers(-4, 5, (3 * count, 4)) * (random.random((3 * count, 1)) < 0.8)
        near[:, 2:] = np.maximum(near[:, 2:], near[:, :2] + 1)
        more = 160 if picture == 5 else int(random.integers(0, 6))
        low = random.integers(0, 90, (more, 2))
        wild = np.concatenate([low, low + random.integers(3, 25, (more, 2))], 1).astype(float)
        guessed = np.where(random.random(3 * count) < 0.85, np.repeat(labels, 3), random.integers(0, LABELS, 3 * count))
        answers = np.concatenate([near, wild])
        scores = np.round(random.random(len(answers)), 1)  # many ties
        all_labels = np.concatenate([guessed, random.integers(0, LABELS, more)])
        found.append(mean_ap.Boxes(answers, all_labels, scores))
        true.append(mean_ap.Boxes(own, labels, np.ones(count)))
    return found, true


def by_coco(found: list[mean_ap.Boxes], true: list[mean_ap.Boxes]) -> Any:
    def sided(box: Any) -> list[float]:
        return [float(box[0]), float(box[1]), float(box[2] - box[0]), float(box[3] - box[1])]

    truth = COCO()
    annotations: list[dict[str, Any]] = []
    for image, one in enumerate(true, 1):
        for box, label in zip(one.boxes, one.labels, strict=True):
            width, height = sided(box)[2:]
            entry = {"id": len(annotations) + 1, "image_id": image, "category_id": int(label) + 1, "iscrowd": 0}
            annotations.append({**entry, "bbox": sided(box), "area": width * height})
    truth.dataset = {
        "images": [{"id": image} for image in range(1, len(true) + 1)],
        "categories": [{"id": label + 1, "name": str(label)} for label in range(LABELS)],
        "annotations": annotations,
    }
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        answers = truth.loadRes(
            [
                {"image_id": image, "category_id": int(label) + 1, "bbox": sided(box), "score": float(score)}
                for image, one in enumerate(found, 1)
                for box, label, score in zip(one.boxes, one.labels, one.scores, strict=True)
            ]
        )
        program = COCOeval(truth, answers, "bbox")
        program.evaluate()
        program.accumulate()
        program.summarize()
    return program


@pytest.mark.parametrize("seed", range(6))
def test_average_precision_is_cocos(seed: int) -> None:
    found, true = some(seed)
    result, program = mean_ap.evaluated(found, true, LABELS), by_coco(found, true)
    theirs = program.eval["precision"][:, :, :, 0, -1].mean(1)  # of all areas and 100 answers
    assert np.allclose(result.precision, theirs, atol=1e-12)
    assert result.map == pytest.approx(program.stats[0], abs=1e-12)
    assert result.map50 == pytest.approx(program.stats[1], abs=1e-12)
    assert 0.02 < result.map < 0.9


def test_labels_without_boxes_do_not_count_and_nothing_found_is_nothing() -> None:
    found, true = some(1)
    true = [mean_ap.Boxes(one.boxes, np.minimum(one.labels, 1), one.scores) for one in true]
    result = mean_ap.evaluated(found, true, LABELS)
    assert np.isnan(result.precision[:, 2]).all()
    assert result.map == pytest.approx(by_coco(found, true).stats[0], abs=1e-12)
    empty = mean_ap.Boxes(np.zeros((0, 4)), np.zeros(0, int), np.zeros(0))
    assert mean_ap.evaluated([empty] * len(true), true, LABELS).map == 0.0
    nothing = mean_ap.evaluated([empty], [empty], LABELS)
    assert (nothing.map, nothing.map50) == (0.0, 0.0)
    assert table(nothing, ["a", "b", "c"], 1).splitlines()[-1].split() == ["all", "1", "0", *["0.0000"] * 4]
    exact = mean_ap.evaluated(true, true, 2)
    assert (exact.map, exact.operating.tolist()) == (1.0, [[1.0, 1.0], [1.0, 1.0]])


def test_the_table_has_a_line_a_label_and_that_of_all_last() -> None:
    found, true = some(2)
    result = mean_ap.evaluated(found, true, LABELS)
    lines = table(result, ["beet", "maize", "a small one"], len(true)).splitlines()
    assert [line[:16].strip() for line in lines] == ["", "beet", "maize", "a small one", "all"]
    assert lines[1].split()[1:3] == [str(result.pictures[0]), str(result.instances[0])]
    assert lines[-1].split()[-1] == f"{result.map:.4f}"
    assert lines[1].split()[-2] == f"{result.precision[0, 0]:.4f}"


def test_overlaps_of_boxes_by_hand() -> None:
    one = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10], [5, 5, 5, 9]])
    other = torch.tensor([[0.0, 0, 10, 10], [5, 0, 15, 10], [20, 0, 30, 10], [0, 0, 10, 10]])
    assert boxes.iou(one, other).diagonal().tolist() == pytest.approx([1, 50 / 150, 0, 0])
    assert boxes.giou(one, other).tolist() == pytest.approx([1, 1 / 3 - 0, -1 / 3, 0])
    assert np.allclose(boxes.iou(one, other), mean_ap.overlap(one.double().numpy(), other.double().numpy()))


def test_of_boxes_that_say_the_same_the_best_is_kept() -> None:
    found = torch.tensor([[0.0, 0, 10, 10], [1, 0, 11, 10], [0, 0, 10, 10], [30, 30, 40, 40], [2, 0, 12, 10]])
    scores, labels = torch.tensor([0.5, 0.9, 0.8, 0.1, 0.6]), torch.tensor([0, 0, 1, 0, 0])
    assert boxes.kept(found, scores, labels, 0.6).tolist() == [1, 2, 3]
    assert boxes.kept(found, scores, labels, 0.85).tolist() == [1, 2, 4, 0, 3]


def test_points_answer_for_the_box_that_they_are_in_and_fit() -> None:
    y, x = torch.meshgrid(torch.arange(8), torch.arange(8), indexing="ij")
    points = (torch.stack([x.flatten(), y.flatten()], 1) + 0.5) * 8
    true = torch.tensor([[0.0, 0, 24, 24], [16, 16, 60, 60], [33, 1, 35, 3]])
    guesses = torch.cat([points - 12, points + 12], 1)
    guesses[18] = true[1]  # the point at 20, 20, which is in both, says the second
    answering, which, worth = losses.assigned(torch.full((64, 2), 0.3), guesses, points, true, torch.tensor([0, 1, 0]))
    told = dict(zip(answering.tolist(), zip(which.tolist(), worth.tolist(), strict=True), strict=True))
    assert told[18] == (1, pytest.approx(1.0))
    assert told[4] == (2, pytest.approx(4 / 576, rel=1e-3))  # between the points, so the nearest one
    assert told[9][0] == 0
    assert told[9][1] == pytest.approx(1.0)
    counts = [list(which.tolist()).count(number) for number in range(3)]
    assert counts[2] == 1
    assert all(1 <= count <= losses.TOP for count in counts)
    assert ((worth > 0) & (worth <= 1)).all()


def test_the_loss_is_least_where_answers_are_right() -> None:
    points = torch.tensor([[8.0, 8], [24, 8], [8, 24], [24, 24]])
    true = [(torch.tensor([[0.0, 0, 16, 16]]), torch.tensor([1])), (torch.zeros(0, 4), torch.zeros(0).long())]
    right_boxes = torch.cat([points - 8, points + 8], 1).repeat(2, 1, 1)
    scores = torch.full((2, 4, 2), -9.0)
    scores[0, 0, 1] = 9.0
    right = losses.loss_of(scores, right_boxes, points, true)
    assert 0 <= float(right) < 0.01
    assert float(losses.loss_of(scores, right_boxes + 4, points, true)) > float(right) + 0.5
    assert float(losses.loss_of(-scores, right_boxes, points, true)) > float(right) + 5
    nothing = [true[1], true[1]]
    scores.requires_grad_()
    loss = losses.loss_of(scores, right_boxes, points, nothing)
    loss.backward()
    assert scores.grad is not None
    assert float(scores.grad[0, 0, 1]) > 0.5
