"""One training as a whole: its cases, its folds, and where everything lies.

In scratch: `training/<key>/fold0/` with the checkpoint, the best weights and the history, and `logs/` with metrics.csv,
TensorBoard's events and the predictions. The key stands for all that the weights depend on, so a changed setting, other
data or other code begins anew, and the same training goes on where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from containers.kit.code import code
from containers.kit.distributed import processes
from containers.kit.files import hash_of, read_json, sha256, write_json
from containers.kit.weights import mark
from containers.stoic.data import Case, load_cases
from containers.stoic.dataset import fingerprint
from containers.stoic.folds import Split, split
from containers.stoic.preprocess import geometry
from containers.stoic.settings import Settings

IRRELEVANT = ("where", "only_folds", "processes", "loaders", "checkpoint_minutes")  # settings that no weight depends on
CODE = (  # modules that weights depend on
    *(
        f"containers.kit.{name}"
        for name in ("amp", "batches", "checkpoint", "distributed", "loop", "rng", "schedule", "task", "weights")
    ),
    *(
        f"containers.stoic.{name}"
        for name in (
            "augment",
            "dataset",
            "demographics",
            "folds",
            "i3d",
            "job",
            "metric",
            "models",
            "pretrained",
            "train_fold",
        )
    ),
)


@dataclass(frozen=True)
class Job:
    settings: Settings
    reference: Path
    preprocessed: Path
    scratch: Path
    artifact: Path
    revision: str

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        return tuple(load_cases(self.reference, self.preprocessed))

    @cached_property
    def split(self) -> Split:
        train = self.settings.train
        return split(self.cases, train.folds, train.holdout, train.seed)

    @cached_property
    def data(self) -> str:
        return fingerprint(self.cases)

    @cached_property
    def world(self) -> int:
        return processes(self.settings.train.processes)

    @cached_property
    def key(self) -> str:
        train = {name: value for name, value in asdict(self.settings.train).items() if name not in IRRELEVANT}
        weights = mark(train["weights"], "train.weights")
        preprocess = geometry(self.settings.preprocess)
        return hash_of([train | {"weights": weights}, preprocess, self.data, self.world, code(CODE, train["model"])])

    @property
    def folder(self) -> Path:
        return self.scratch / "training" / self.key

    @property
    def logs(self) -> Path:
        return self.scratch / "logs"

    @property
    def folds(self) -> Sequence[int]:
        """Those that this run trains."""
        train = self.settings.train
        return sorted(set(train.only_folds)) or range(train.folds)

    def fold(self, number: int) -> FoldFiles:
        return FoldFiles(number, self.folder / f"fold{number}")


@dataclass(frozen=True)
class FoldFiles:
    """What one fold has in scratch."""

    number: int
    folder: Path

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint.pt"

    @property
    def weights(self) -> Path:
        return self.folder / "best.safetensors"

    def best(self) -> dict[str, Any] | None:
        """The best epoch so far: its row of metrics.csv and the SHA-256 of its weights."""
        path = self.folder / "best.json"
        if not path.is_file() or not self.weights.is_file():
            return None
        content: dict[str, Any] = read_json(path)
        return content

    def write_best(self, row: dict[str, Any]) -> None:
        write_json(self.folder / "best.json", {"row": row, "sha256": sha256(self.weights)})

    def history(self) -> tuple[list[dict[str, Any]], bool]:
        """The rows of metrics.csv so far, and whether the fold is finished."""
        path = self.folder / "history.json"
        content: dict[str, Any] = read_json(path) if path.is_file() else {"rows": [], "finished": False}
        rows: list[dict[str, Any]] = content["rows"]
        return rows, bool(content["finished"])

    def write_history(self, rows: list[dict[str, Any]], finished: bool) -> None:
        write_json(self.folder / "history.json", {"rows": rows, "finished": finished})

    def finished(self) -> bool:
        best = self.best()
        return best is not None and self.history()[1] and sha256(self.weights) == best["sha256"]
