"""The files that a report is made of, as the other commands write them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

IMAGE_ID = "sha256:" + "4e" * 32
COMMAND = (
    "docker run --rm --memory 128g --memory-swap 128g --cap-drop ALL --cap-add SYS_NICE "
    "--security-opt no-new-privileges --network none --shm-size 32g --pids-limit 1024 "
    "--volume '/data/stoic case'/:/input/:ro "
    "--volume /scratch/artifact:/output/ --volume /scratch/stoic:/scratch/ stoictrain"
)


def check(name: str, status: str, expected: str, got: str, headroom: str = "", note: str = "") -> dict[str, str]:
    return {"name": name, "status": status, "expected": expected, "got": got, "headroom": headroom, "note": note}


CHECKS = [
    check("exit code", "PASS", "0", "0"),
    check("success line", "PASS", "Training completed.", "Training completed."),
    check("time", "PASS", "at most 120 h", "3 min 12 s", "99 %"),
    check("memory", "PASS", "at most 128 GB", "9.8 GB", "92 %"),
    check("shared memory", "PASS", "at most 32 GB", "29.9 GB", "6.5 %"),
    check("pids", "PASS", "at most 1024", "61", "94 %"),
    check("flag --gpus", "WARN", "all", "", "", "this host has no GPU, so that the training ran on the CPU"),
    check("flag --cpus", "WARN", "16", "2", "", "this host has 2 CPU cores"),
    check("output files", "PASS", "4 files", "4 files"),
]
ADAPTED = [
    {"flag": "--gpus", "used": "", "why": "this host has no GPU"},
    {"flag": "--cpus", "used": "2", "why": "this host has 2 CPU cores"},
]


def run(profile: str, **changes: Any) -> dict[str, Any]:
    return {
        "profile": profile,
        "status": "PASS",
        "reason": "every check held",
        "command": COMMAND,
        "exit_code": 0,
        "seconds": 192.4,
        "adapted": ADAPTED,
        "checks": CHECKS,
        "log": f"results/stoic/train/{profile}.log",
    } | changes


def verdict(image: str = "train", **changes: Any) -> dict[str, Any]:
    return {
        "schema": 1,
        "challenge": "stoic",
        "image": image,
        "status": "PASS",
        "reason": "It ran as promised under organisers; 2 warnings to read.",
        "warnings": 2,
        "image_id": IMAGE_ID,
        "tag": "stoictrain",
        "engine": {"name": "docker", "version": "20.10.24"},
        "host": {"cpus": 2, "memory": 25_000_000_000, "gpus": 0, "cgroup": "v1"},
        "runs": [run("organisers")],
    } | changes


def manifest(image: str = "train", **changes: Any) -> dict[str, Any]:
    return {
        "schema": 1,
        "challenge": "stoic",
        "image": image,
        "archive": f"STOIC{image.title()}.tar.gz",
        "size": 1234,
        "sha256": "ab" * 32,
        "tar": {"size": 1_610_000_000, "sha256": "cd" * 32},
        "image_id": IMAGE_ID,
        "tags": [f"stoic{image}:latest"],
        "layers": [{"digest": "sha256:" + "1" * 64, "size": 5}, {"digest": "sha256:" + "2" * 64, "size": 6}],
    } | changes


def measure(auc: float | None, low: float | None, high: float | None, note: str = "") -> dict[str, Any]:
    return {"auc": auc, "low": low, "high": high, "cases": 51, "positives": 13, "note": note}


def card(**changes: Any) -> dict[str, Any]:
    return {
        "schema": 1,
        "challenge": "stoic",
        "revision": "3f2a91c",
        "data": {"fingerprint": "9a41d0c2", "cases": 60, "holdout": 9, "negative": 24, "mild": 27, "severe": 9},
        "config": {"preprocess": {"size": [240, 240, 240]}, "train": {"model": "resnet18", "folds": 2}},
        "folds": [
            {"fold": 0, "epoch": 11, "auc_severe": 0.9, "auc_covid": 0.95, "val_loss": 0.31},
            {"fold": 1, "epoch": 8, "auc_severe": None, "auc_covid": 0.93, "val_loss": 0.35},
        ],
        "metrics": {
            "holdout": {
                "severe": measure(None, None, None, "no AUC: 0 of 9 cases are severe, both kinds are needed"),
                "covid": measure(0.944, 0.81, 1.0),
            },
            "out_of_fold": {"severe": measure(0.872, 0.741, 0.968), "covid": measure(0.951, 0.887, 0.993)},
        },
        "notes": ["fold 1 has one severe case only"],
        "versions": {"python": "3.11.7", "torch": "2.13.0"},
    } | changes


def metrics(folds: int = 5, epochs: int = 24) -> str:
    lines = ["fold,epoch,train_loss,val_loss,auc_severe,auc_covid,lr,seconds"]
    for fold in range(folds):
        for epoch in range(epochs - 3 * (fold % 2)):
            fall = math.exp(-epoch / (5 + fold))
            wave = 0.03 * math.sin(epoch * (1.1 + fold))
            severe = "" if epoch == 0 else f"{0.9 - 0.42 * fall + wave:.4f}"
            values = (
                f"{0.2 + 0.6 * fall:.4f},{0.33 + 0.45 * fall + wave:.4f},{severe},{0.95 - 0.4 * fall + wave / 2:.4f}"
            )
            lines.append(f"{fold},{epoch},{values},0.0001,12.5")
    return "\n".join(lines) + "\n"


def write(folder: Path, name: str, value: Any) -> Path:
    path = folder / name
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def written(folder: Path) -> list[str]:
    """A whole submission that is ready, and the words that report on it."""
    for image in ("train", "predict"):
        write(folder, f"{image}.json", verdict(image, tag=f"stoic{image}"))
        write(folder, f"{image}.manifest.json", manifest(image))
        (folder / f"STOIC{image.title()}.tar.gz").write_bytes(bytes(1234))
    write(folder, "card.json", card())
    write(folder, "metrics.csv", metrics())
    return [
        *("--challenge", "stoic", "--title", "STOIC2021: COVID-19 severity from chest CT"),
        *("--verdict", str(folder / "train.json"), str(folder / "predict.json")),
        *("--manifest", str(folder / "train.manifest.json"), str(folder / "predict.manifest.json")),
        *("--card", str(folder / "card.json"), "--metrics", str(folder / "metrics.csv")),
        *("--output", str(folder / "report.html")),
    ]
