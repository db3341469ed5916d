"""What the commands are given: a small data set, a container's output folder and its verdict."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from tests.report import inputs
from workflow.scripts.agrigaia import score

LABELS = ("beet", "maize", "thistle")
COUNTS = [[9, 1, 0], [2, 7, 0], [0, 0, 0]]  # true labels down, answers across
HISTORY = "epoch,train_loss,val_loss,score,lr,seconds\n1,1.5,1.25,0.5,0.01,3.5\n2,0.75,nan,0.842105,0.005,3\n"
NAMES = ("a.jpg", "b/c.jpg")
SIZE = (160, 120)


def write(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def shares(place: int) -> dict[str, float]:
    hits, truly, answered = COUNTS[place][place], sum(COUNTS[place]), sum(row[place] for row in COUNTS)
    precision, recall = hits / answered if answered else 0.0, hits / truly if truly else 0.0
    whole = precision + recall
    return {"precision": precision, "recall": recall, "f1": 2 * precision * recall / whole if whole else 0.0}


def classified() -> dict[str, Any]:
    return {
        "schema": 1,
        "task": "classification",
        "score": 16 / 19,
        "judged": 19,
        "accuracy": 16 / 19,
        "macro": {"precision": 0.85, "recall": 0.84, "f1": 0.842},
        "labels": list(LABELS),
        "per_label": {name: shares(place) for place, name in enumerate(LABELS)},
        "counts": COUNTS,
    }


def detected() -> dict[str, Any]:
    row = {"pictures": 2, "boxes": 3, "precision": 0.75, "recall": 0.5, "map50": 0.625, "map": 0.375}
    empty = {**dict.fromkeys(row), "pictures": 0, "boxes": 0}
    facts = {"schema": 1, "task": "detection", "score": 0.375, "judged": 2, "boxes": 3}
    means = {name: row[name] for name in ("map", "map50", "precision", "recall")}
    return {**facts, **means, "labels": ["beet", "maize"], "per_label": {"beet": row, "maize": empty}}


def pieces() -> dict[str, Any]:
    """Six wrong ones among thirty, as sure as their numbers."""
    rows = [
        {"file": NAMES[number % 2], "bbox": [10.0 + number, 20.0, 30.0, 40.0], "label": 0}
        | {"answer": int(number % 5 == 0), "sure": 0.5 + number / 100}
        for number in range(30)
    ]
    return {"schema": 1, "labels": list(LABELS), "pieces": rows}


def boxes() -> dict[str, Any]:
    found = [[20.0, 20.0, 80.0, 70.0, 0, 0.9]]
    rows = [{"file": name, "found": found, "true": [[22.0, 18.0, 82.0, 72.0, 0]]} for name in NAMES]
    return {"schema": 1, "labels": ["beet", "maize"], "pictures": rows}


@dataclass(frozen=True)
class Trial:
    folder: Path

    @property
    def output(self) -> Path:
        return self.folder / "train" / "output"

    def score(self) -> int:
        words = ["--verdict", str(self.folder / "train" / "verdict.json"), "--trained", str(self.output)]
        words += ["--manifest", str(self.folder / "manifest.json"), "--custom", str(self.folder / "custom.json")]
        return score.main([*words, "--output", str(self.folder / "score")])

    @property
    def card(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / "score" / "card.json").read_text())
        return content

    def judge(self, *scores: Any) -> None:
        """The verdict with a run for each score."""
        runs = [
            inputs.run("organisers", score=None if one is None else {"name": "Acc.", "value": one}) for one in scores
        ]
        write(self.folder / "train" / "verdict.json", inputs.verdict("train", challenge="agrigaia", runs=runs))

    def leave(self, **files: Any) -> None:
        """Files of the output folder, by their names with _ for the dot; None takes one away."""
        for name, content in files.items():
            path = self.output / name.replace("_", ".")
            if content is None:
                path.unlink()
            else:
                write(path, content)


def manifest(root: Path, source: str = "demo") -> dict[str, Any]:
    entries = [{"file": name, "width": SIZE[0], "height": SIZE[1]} for name in NAMES]
    facts = {"schema": 1, "source": source, "root": str(root), "fingerprint": "f" * 16}
    return {**facts, "pictures": entries, "unannotated": []}


def trial(folder: Path) -> Trial:
    """A classifier's output, whole."""
    for number, name in enumerate(NAMES):
        path = folder / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", SIZE, ("#806040", "#204080")[number]).save(path, "PNG")
    one = Trial(folder)
    write(folder / "manifest.json", manifest(folder / "data"))
    write(folder / "custom.json", {"model_filepath": "/train/model.pt", "score_name": "Acc.", "score_regexp": "x"})
    one.judge(0.842)
    one.leave(scores_json=classified(), answers_json=pieces(), history_csv=HISTORY)
    return one
