"""What a training wrote down: metrics.csv for every fold and epoch, and TensorBoard."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from containers.kit.files import write_text

Row = Mapping[str, Any]


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Write the whole table at once, so that no epoch is in it twice after a run was resumed; None is an empty cell."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _short(row.get(name)) for name in columns} for row in rows)
    write_text(path, text.getvalue())


class Board:
    """TensorBoard's events of one run; `epoch` is the first that it adds, later ones of a killed run are hidden."""

    def __init__(self, folder: Path, epoch: int) -> None:
        from torch.utils.tensorboard import SummaryWriter  # takes a second to import

        self.writer = SummaryWriter(str(folder), purge_step=epoch if epoch else None)

    def add(self, epoch: int, row: Row) -> None:
        for name, value in row.items():
            if isinstance(value, float):
                self.writer.add_scalar(name, value, epoch)
        self.writer.flush()

    def close(self) -> None:
        self.writer.close()


def _short(value: Any) -> Any:
    return f"{value:.9g}" if isinstance(value, float) else value
