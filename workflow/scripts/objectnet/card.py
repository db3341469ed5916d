"""The model card: which network was chosen, by which photos, and what the submission holds."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

from containers.kit.versions import installed
from workflow.scripts.objectnet.licence import CLAUSES
from workflow.scripts.slipway.intervals import wilson

Json = Mapping[str, Any]
PACKAGES = ("torch", "timm", "torchvision", "efficientnet-lite-pytorch", "onnx", "onnxscript", "pillow", "numpy")
FEW = 1000
LICENCE = f"No image of ObjectNet had a part in the choice: by clause 1 of its licence, {CLAUSES[1]}."


def make(chosen: Json, exported: str, revision: str) -> dict[str, Any]:
    """The card as JSON; `exported` is a sentence about the ONNX file."""
    results = chosen["candidates"]
    best = next(result for result in results if result["candidate"] == chosen["chosen"])
    return {
        "schema": 1,
        "challenge": "objectnet",
        "revision": revision,
        "data": {"cases": best["photos"], "fingerprint": best["fingerprint"]},
        "config": {
            "train": {
                "model": best["model"],
                "model_args": best["model_args"],
                "candidate": best["candidate"],
                "weights": best["weights"]["sha256"],
                "transform": best["transform"],
            },
            "predict": chosen["predict"],
        },
        "metrics": {
            f"photos_{name}": {one["candidate"]: _measure(one, name) for one in results} for name in ("top1", "top5")
        },
        "notes": [*_choice(best, len(results)), LICENCE, exported],
        "versions": {"python": platform.python_version(), **installed(PACKAGES)},
    }


def text(card: Json) -> str:
    """The card for people, in Markdown."""
    train, data, predict = card["config"]["train"], card["data"], card["config"]["predict"]
    lines = [
        "# ObjectNet: which object is in the photo",
        "",
        f"- Model: {train['model']}, candidate {train['candidate']}; weights with sha256 {train['weights']}",
        f"- Input: {_input(train['transform'])}",
        f"- Answers: convert_outputs_mode {predict['convert_outputs_mode']}, test-time augmentation {predict['tta']}, "
        f"temperature {predict['temperature']:g}",
        f"- Photos that chose it: {data['cases']} of ImageNet's classes, fingerprint {data['fingerprint']}",
        f"- Code: revision {card['revision']}; "
        + ", ".join(f"{name} {value}" for name, value in card["versions"].items()),
        "",
    ]
    if data["cases"]:
        lines += [
            "## On the ImageNet photos",
            "",
            "| candidate | top-1 | 95 % interval | top-5 | 95 % interval |",
            "|---|---|---|---|---|",
        ]
        top1, top5 = card["metrics"]["photos_top1"], card["metrics"]["photos_top5"]
        lines += [f"| {name} | {_cells(measure)} | {_cells(top5[name])} |" for name, measure in top1.items()]
        lines.append("")
    lines += [f"- Note: {note}" for note in card["notes"]]
    return "\n".join(lines) + "\n"


def _measure(result: Json, name: str) -> dict[str, Any]:
    count, value = result["photos"], result[name]
    low, high = (None, None) if value is None else wilson(round(value * count), count)
    return {"accuracy": value, "low": low, "high": high, "cases": count}


def _choice(best: Json, candidates: int) -> list[str]:
    if best["top1"] is None:
        unjudged = f"The network has {best['classes']} outputs, which ImageNet photos cannot judge"
        return [f"{unjudged}: it was the only candidate."]
    how = f"The best of {candidates} candidates" if candidates > 1 else "The only candidate"
    few = "; so few photos tell networks of like quality apart by chance" if best["photos"] < FEW else ""
    return [
        f"{how}, judged by top-1, then top-5, then loss on {best['photos']} ImageNet photos{few}.",
        "ObjectNet's objects lie, hang and stand as they rarely do in ImageNet: expect far lower accuracy there.",
    ]


def _input(transform: Json | None) -> str:
    if transform is None:
        return "as model/data_transform_description.py prepares it"
    size = transform["size"]
    kept = f"{transform['crop']:.3g} of " + (
        "the squashed photo" if transform["resize"] == "squash" else "its shorter side"
    )
    mean, std = (" ".join(f"{value:g}" for value in transform[name]) for name in ("mean", "std"))
    return f"{size} x {size}, the middle square with {kept}, {transform['interpolation']}, mean {mean}, std {std}"


def _cells(measure: Json) -> str:
    return f"{measure['accuracy']:.3f} | {measure['low']:.3f} to {measure['high']:.3f}"
