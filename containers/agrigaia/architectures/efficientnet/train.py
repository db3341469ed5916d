"""Train a classifier on what setup.py prepared; the platform runs it with the options of args.py.

    python train.py --epochs 5 --images-dir /datasets/images --labels-dir /datasets/labels --output-dir /train

Broken off, it goes on from the last epoch when it is run again; finished, it tells its scores again.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import torch
from args import parse
from augment import lit, moved, movements
from crops import Crops, load, read
from efficientnet import EfficientNet, take_pretrained
from loop import CHECKPOINT, Judged, Plan, device, fit, key_of, start
from record import ANSWERS, SCORES, write_json
from saving import check_suffix, deliver
from scores import Scores, as_json, by_label, counted, table
from torch import Generator, Tensor, nn
from torch.nn import functional as F


def train(args: Namespace) -> None:
    target = Path(args.output_dir) / args.model_file
    check_suffix(target)
    parts = {part: load(Path(args.images_dir), Path(args.labels_dir), part, args.img_size) for part in ("train", "val")}
    known, judges = parts["train"], parts["val"]
    if len(known) < 2:
        raise SystemExit(f"error: there is {len(known)} piece to learn from; annotate more, or raise train-split")
    where = device()
    print(f"{len(known)} pieces to learn from, {len(judges)} to judge by; {where}, {torch.get_num_threads()} threads")
    for missing in sorted(set(range(len(known.classes))) - set(known.labels.tolist())):
        print(f"warning: {known.classes[missing]} is nowhere among what is learnt from", file=sys.stderr)

    torch.manual_seed(args.seed)
    network = EfficientNet(args.model, len(known.classes))
    if args.pretrained:
        print(take_pretrained(network, args.model))
    network.to(where)

    def loss_of(chosen: Tensor, random: Generator) -> Tensor:
        pictures = known.frames.batch(chosen, where)
        if args.augmentation != "none":
            pictures = lit(moved(pictures, movements(len(pictures), args.augmentation, random)), random)
        with torch.autocast(where.type, torch.bfloat16, enabled=where.type == "cuda"):
            answers = network(pictures)
        return F.cross_entropy(answers.float(), known.labels[chosen].to(where))

    def judge() -> Judged:
        scores, loss, _ = judged(network, judges, args.batch_size, where)
        words = f"val loss {loss:.4f}  accuracy {scores.accuracy:.4f}"
        return Judged(scores.accuracy, loss, words)

    key = key_of({name: value for name, value in vars(args).items() if not name.endswith("dir")}, _files(args))
    fit(network, Plan.of(args), len(known), loss_of, judge if len(judges) else None, target.parent / CHECKPOINT, key)

    facts = {"task": "classification", "model": args.model, "classes": list(known.classes), "img-size": args.img_size}
    deliver(network, target, facts, args.img_size)
    if not len(judges):
        print("There is nothing to judge by, and so no score: test-split is 0.")
        return
    scores, _, answers = judged(network.to(where), judges, args.batch_size, where)
    pieces = _pieces(read(Path(args.labels_dir) / "val" / "labels.json"), judges, answers)
    write_json(target.parent / ANSWERS, {"schema": 1, "labels": list(judges.classes), "pieces": pieces})
    write_json(target.parent / SCORES, as_json(scores, judges.classes))
    print(f"\n{by_label(scores, judges.classes)}\n\n{table(scores)}", flush=True)


Answer = tuple[int, float]  # a label, and how sure the network is of it


def judged(network: nn.Module, crops: Crops, batch: int, where: torch.device) -> tuple[Scores, float, list[Answer]]:
    """Scores, mean loss, and the answer to each piece."""
    network.eval()
    answers: list[Answer] = []
    total = 0.0
    with torch.inference_mode():
        for chosen in torch.arange(len(crops)).split(batch):
            found = network(crops.frames.batch(chosen, where)).float().cpu()
            total += float(F.cross_entropy(found, crops.labels[chosen], reduction="sum"))
            sure, labels = found.softmax(1).max(1)
            answers += zip(labels.tolist(), sure.tolist(), strict=True)
    scores = counted(crops.labels.tolist(), [label for label, _ in answers], len(crops.classes))
    return scores, total / len(crops), answers


def _pieces(content: dict[str, Any], crops: Crops, answers: list[Answer]) -> list[dict[str, Any]]:
    """Where in which picture each piece is, in the order that it was loaded in, and what was answered."""
    by_image: dict[int, list[list[float]]] = {}
    for annotation in content["annotations"]:
        by_image.setdefault(annotation["image_id"], []).append(annotation["bbox"])
    places = [(image["file_name"], box) for image in content["images"] for box in by_image.get(image["id"], [])]
    return [
        {"file": file, "bbox": box, "label": label, "answer": answer, "sure": round(sure, 4)}
        for (file, box), label, (answer, sure) in zip(places, crops.labels.tolist(), answers, strict=True)
    ]


def _files(args: Namespace) -> list[Path]:
    """What the result depends on."""
    folders = (Path(args.images_dir), Path(args.labels_dir))
    return [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]


if __name__ == "__main__":
    start(train, parse)
