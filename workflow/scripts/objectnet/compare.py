"""Try one candidate on photos of ImageNet's classes: top-1, top-5 and loss; nothing learns from them.

    python -m workflow.scripts.objectnet.compare --candidate lite2 --settings @candidate.json --predict '{}' \\
        --weights scratch/objectnet/weights/lite2.json --photos scratch/objectnet/photos/photos.json \\
        --workers 2 --output scratch/objectnet/candidates/lite2.json
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from containers.kit import cpus
from containers.kit.errors import UserError, reports_errors
from containers.kit.files import read_json, sha256, write_json
from containers.kit.settings import parse
from containers.objectnet import networks
from containers.objectnet.description import Description
from containers.objectnet.inference import logits
from containers.objectnet.labels import LABELS
from containers.objectnet.prefetch import Floats
from containers.objectnet.settings import Candidate, Predict, Transform
from containers.objectnet.torch_backend import TorchNetwork
from workflow.scripts.objectnet import validation

IMAGENET, GUESSES = 1000, 5


@dataclass
class Judged:
    """What a network said of the photos so far; nothing, where its outputs are not ImageNet's classes."""

    outputs: int
    guesses: list[list[int]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)


def judge(
    name: str, network: TorchNetwork, photos: validation.Photos, predict: Predict, workers: int
) -> tuple[Judged, float]:
    """Its answers, and the seconds that they took."""
    began, judged = time.monotonic(), Judged(IMAGENET)
    answered = logits(
        photos.paths,
        network.transform,
        network,
        batch_size=predict.batch_size,
        workers=workers,
        border=0,
        tta=predict.tta,
        title=name,
    )
    with closing(answered):
        for answers in answered:
            validation.readable(answers.unreadable)
            judged.outputs = answers.logits.shape[1]
            if judged.outputs != IMAGENET:
                break
            done = len(judged.guesses)
            _add(judged, answers.logits, photos.classes[done : done + len(answers.logits)], predict.temperature)
    return judged, time.monotonic() - began


def measures(name: str, judged: Judged, photos: validation.Photos) -> dict[str, Any]:
    """Shares of photos whose class is the first guess, and is among the five; the mean loss."""
    if judged.outputs == len(LABELS):
        return {"top1": None, "top5": None, "nll": None, "photos": 0, "answers": []}
    if judged.outputs != IMAGENET:
        raise UserError(
            f"candidate {name} gives {judged.outputs} logits, where {IMAGENET} (ImageNet) or {len(LABELS)} (ObjectNet) "
            "are needed; see its model_args"
        )
    right = [
        guesses.index(wanted) if wanted in guesses else -1
        for guesses, wanted in zip(judged.guesses, photos.classes, strict=True)
    ]
    count = len(right)
    return {
        "top1": sum(place == 0 for place in right) / count,
        "top5": sum(place >= 0 for place in right) / count,
        "nll": sum(judged.losses) / count,
        "photos": count,
        "answers": [
            {"file": file, "class": wanted, "guesses": guesses}
            for file, wanted, guesses in zip(photos.names, photos.classes, judged.guesses, strict=True)
        ],
    }


def _add(judged: Judged, rows: Floats, classes: Sequence[int], temperature: float) -> None:
    """Of equal logits the lower class is guessed first."""
    scaled = rows.astype(np.float64) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    judged.guesses += np.argsort(-rows, axis=1, kind="stable")[:, :GUESSES].tolist()
    judged.losses += (np.log(np.exp(scaled).sum(axis=1)) - scaled[np.arange(len(rows)), list(classes)]).tolist()


def weights_file(record: Mapping[str, Any]) -> Path:
    path = Path(record["file"])
    if not path.is_file() or sha256(path) != record["sha256"]:
        raise UserError(f"{path} is not the file that --weights tells of; run the rule that finds the weights again")
    return path


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidate", required=True, help="its name in the configuration")
    parser.add_argument("--settings", required=True, help="the candidate's section as JSON, or @file")
    parser.add_argument("--predict", required=True, help="the section objectnet.predict as JSON, or @file")
    parser.add_argument("--weights", type=Path, required=True, help="which file they are, as JSON")
    parser.add_argument("--photos", type=Path, required=True, help="the photos, as JSON")
    parser.add_argument("--workers", type=int, default=0, help="threads that decode; 0 means one a CPU")
    parser.add_argument("--output", type=Path, required=True, help="what came out, as JSON")
    args = parser.parse_args(argv)
    cpus.limit_threads()
    name = args.candidate
    candidate = parse(Candidate, args.settings, f"challenges.objectnet.train.candidates.{name}")
    predict = parse(Predict, args.predict, "challenges.objectnet.predict")
    photos, record = validation.read(args.photos), read_json(args.weights)
    transform = candidate.transform or networks.transform_of(candidate.model, candidate.model_args)
    network = opened(candidate, transform, weights_file(record), record["sha256"], predict)
    threads = args.workers or cpus.available()
    judged, seconds = judge(name, network, photos, predict, min(threads, cpus.available()))
    result = {
        "schema": 1,
        "candidate": name,
        "model": candidate.model,
        "model_args": candidate.model_args,
        "weights": record,
        "transform": dataclasses.asdict(transform) if transform else None,
        "classes": judged.outputs,
        "fingerprint": photos.fingerprint,
        "seconds": round(seconds, 1),
        **measures(name, judged, photos),
    }
    write_json(args.output, result)
    print(f"{name}: {network.described}; {told(result)}")
    return 0


def opened(
    candidate: Candidate, transform: Transform | None, weights: Path, checksum: str, predict: Predict
) -> TorchNetwork:
    """In torch, whatever the container will run it by: an ONNX file is exported for the chosen one alone."""
    said = Description(candidate.model, IMAGENET, {}, candidate.model_args, transform)
    threads = cpus.available()
    return TorchNetwork(
        candidate.model, weights, said, checksum, precision=predict.precision, gpus=None, threads=threads
    )


def told(result: Mapping[str, Any]) -> str:
    if result["top1"] is None:
        return f"{result['classes']} outputs, which ImageNet photos cannot judge"
    return (
        f"top-1 {result['top1']:.3f}, top-5 {result['top5']:.3f}, loss {result['nll']:.3f} "
        f"on {result['photos']} photos in {result['seconds']:.1f} s"
    )


if __name__ == "__main__":
    raise SystemExit(main())
