"""Train a detector on what setup.py prepared; the platform runs it with the options of args.py.

    python train.py --epochs 20 --data /datasets/dataset.yaml --images-dir /datasets/images \\
        --labels-dir /datasets/labels --output-dir /train

Broken off, it goes on from the last epoch when it is run again; finished, it tells its scores again.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import torch
from args import parse
from augment import lit, moved, moved_boxes, movements
from efficientnet import take_pretrained
from loop import CHECKPOINT, Judged, Plan, device, fit, key_of, start
from losses import Truth, loss_of
from mean_ap import Boxes, Result, evaluated
from network import Detector, answers
from plots import Plots, class_names, in_picture, load, on, seen
from record import ANSWERS, SCORES, write_json
from report import as_json, table
from saving import check_suffix, deliver
from torch import Generator, Tensor

SHOWN = 0.25  # an answer that is less sure is not written down


def train(args: Namespace) -> None:
    target = Path(args.output_dir) / args.model_file
    check_suffix(target)
    names, size = class_names(Path(args.data)), args.img_size
    folders = Path(args.images_dir), Path(args.labels_dir)
    known, judges = (load(*folders, part, size, len(names)) for part in ("train", "val"))
    if not len(known):
        raise SystemExit(f"error: {folders[0] / 'train'} has no pictures to learn from; raise train-split")
    where = device()
    print(f"{len(known)} pictures to learn from, {len(judges)} to judge by; {where}, {torch.get_num_threads()} threads")
    for missing in sorted(set(range(len(names))) - {number for _, found in known.truth for number in found.tolist()}):
        print(f"warning: {names[missing]} is nowhere among what is learnt from", file=sys.stderr)

    torch.manual_seed(args.seed)
    network = Detector(args.model, len(names))
    if args.pretrained:
        print(take_pretrained(network.backbone, args.model))
    network.to(where)

    def loss(chosen: Tensor, random: Generator) -> Tensor:
        pictures, truth = known.frames.batch(chosen, where), [known.truth[index] for index in chosen.tolist()]
        if args.augmentation != "none":
            changes = movements(len(pictures), args.augmentation, random)
            pictures = lit(moved(pictures, changes), random)
            truth = [
                seen((moved_boxes(boxes, change, size), labels), size)
                for (boxes, labels), change in zip(truth, changes, strict=True)
            ]
        with torch.autocast(where.type, torch.bfloat16, enabled=where.type == "cuda"):
            found = network.raw(pictures)
        return loss_of(*found, on(truth, where))

    def judge() -> Judged:
        result, loss, _ = judged(network, judges, args.batch_size, len(names), where)
        words = f"val loss {loss:.4f}  mAP@.5 {result.map50:.4f}  mAP@.5:.95 {result.map:.4f}"
        return Judged(result.map, loss, words)

    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    options = {name: value for name, value in vars(args).items() if name != "data" and not name.endswith("dir")}
    key = key_of({**options, "classes": names}, files)
    fit(network, Plan.of(args), len(known), loss, judge if len(judges) else None, target.parent / CHECKPOINT, key)

    facts = {"task": "detection", "model": args.model, "classes": names, "img-size": size}
    deliver(network, target, facts, size)
    if not len(judges):
        print("There is nothing to judge by, and so no score: test-split is 0.")
        return
    result, _, found = judged(network.to(where), judges, args.batch_size, len(names), where)
    write_json(target.parent / ANSWERS, {"schema": 1, "labels": names, "pictures": _pictures(judges, found)})
    write_json(target.parent / SCORES, as_json(result, names, len(judges)))
    print(f"\n{table(result, names, len(judges))}", flush=True)


def judged(
    network: Detector, plots: Plots, batch: int, classes: int, where: torch.device
) -> tuple[Result, float, list[Boxes]]:
    """Scores, mean loss, and the boxes that were found in each picture."""
    network.eval()
    found: list[Boxes] = []
    total = 0.0
    with torch.inference_mode():
        for chosen in torch.arange(len(plots)).split(batch):
            scores, boxes, points = network.raw(plots.frames.batch(chosen, where))
            truth = on([plots.truth[index] for index in chosen.tolist()], where)
            total += float(loss_of(scores, boxes, points, truth)) * len(chosen)
            for one, other in zip(scores.sigmoid().cpu(), boxes.cpu(), strict=True):
                places, sure, labels = answers(one, other, plots.frames.size)
                found.append(Boxes(places.double().numpy(), labels.numpy(), sure.double().numpy()))
    return evaluated(found, [_true(one) for one in plots.truth], classes), total / len(plots), found


def _pictures(plots: Plots, found: list[Boxes]) -> list[dict[str, Any]]:
    """What was found in each, and what is true, in its own pixels: left, top, right, bottom, label, and how sure."""
    rows = []
    for file, size, one, (true, labels) in zip(plots.files, plots.sizes, found, plots.truth, strict=True):
        sure = one.scores >= SHOWN
        boxes = in_picture(torch.from_numpy(one.boxes[sure]), size, plots.frames.size)
        told = zip(boxes, one.labels[sure].tolist(), one.scores[sure].round(4).tolist(), strict=True)
        known = zip(in_picture(true, size, plots.frames.size), labels.tolist(), strict=True)
        rows.append(
            {
                "file": file,
                "found": [[*box, label, score] for box, label, score in told],
                "true": [[*box, label] for box, label in known],
            }
        )
    return rows


def _true(truth: Truth) -> Boxes:
    boxes, labels = truth
    return Boxes(boxes.double().numpy(), labels.numpy(), torch.ones(len(labels)).double().numpy())


if __name__ == "__main__":
    start(train, parse)
