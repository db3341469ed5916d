"""The rows of predictions: written as they come, kept when a run is stopped, and gone on with by the next.

While a run is not done, a hidden file beside the rows says what they depend on; it goes when the last row is there.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from containers.kit.errors import UserError, listed
from containers.kit.files import read_json, write_json
from containers.objectnet.guesses import GUESSES
from containers.objectnet.labels import NONE

UNREADABLE = f",{NONE},0" * GUESSES  # after a photo's name: five guesses that name nothing


def line(name: str, ids: Sequence[int], confidences: Sequence[float]) -> str:
    """One row; six digits keep the order of the confidences, as equal ones stay equal and rounding turns none round."""
    return _name(name) + "".join(f",{one},{value:.6g}" for one, value in zip(ids, confidences, strict=True))


def unreadable(name: str) -> str:
    return _name(name) + UNREADABLE


def _name(name: str) -> str:
    """As the first column of a CSV: in quotes where it holds a comma or a quote."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow([name])
    return text.getvalue()


def beside(output: Path) -> Path:
    """Where an unfinished run says what its rows depend on."""
    return output.with_name(f".{output.name}.run.json")


def refuse_foreign(output: Path) -> None:
    """An output that is there already, unless it was begun by a run that did not end."""
    if output.exists() and not beside(output).is_file():
        raise UserError(f"output-file {output} is there already; remove it, or name another file")


class Journal:
    """Of one run. `names` are those of all rows to come, in order, and `decides` is what rows depend on.

    Rows are kept in whole batches, so that one which went on computes each batch as one without a break does.
    """

    def __init__(self, output: Path, names: Sequence[str], decides: Mapping[str, str], batch_size: int) -> None:
        self.output, self.note, self.decides = output, beside(output), dict(decides)
        self.stream: BinaryIO | None = None
        self.failed: list[str] = []  # names whose rows of the run before say that they could not be read
        self.done = 0
        refuse_foreign(output)
        if output.exists():
            self._go_on(names, batch_size)

    def write(self, rows: Iterable[str]) -> None:
        """Add rows to the file at once, where they count should the run be stopped after it."""
        try:
            if self.stream is None:
                write_json(self.note, self.decides)
                self.stream = self.output.open("ab")
            self.stream.write(os.fsencode("".join(f"{row}\n" for row in rows)))
            self.stream.flush()
        except OSError as error:
            raise UserError(
                f"output-file {self.output} cannot be written ({error.strerror}); make room, or open its folder to "
                "this user"
            ) from None

    def close(self) -> None:
        if self.stream is not None:
            self.stream.close()

    def finish(self) -> None:
        """All rows are there."""
        if self.stream is not None:
            os.fsync(self.stream.fileno())
        self.close()
        self.note.unlink(missing_ok=True)

    def _go_on(self, names: Sequence[str], batch_size: int) -> None:
        before = read_json(self.note)
        if before != self.decides:
            known = before if isinstance(before, Mapping) else {}
            other = [key for key in sorted({*known, *self.decides}) if known.get(key) != self.decides.get(key)]
            raise UserError(
                f"output-file {self.output} was begun with another {listed(other)}; run that command again to end it, "
                "or remove the file"
            )
        rows = self.output.read_bytes().split(b"\n")[:-1]  # what follows the last line's end was cut off in writing
        texts = [os.fsdecode(row) for row in rows]
        for text, name in zip(texts, [*names, *[""] * len(texts)], strict=False):
            if not text.startswith(f"{_name(name)},"):
                raise UserError(
                    f"output-file {self.output} has rows of other photos than images-dir now; remove the file"
                )
        kept = len(rows) if len(rows) == len(names) else len(rows) // batch_size * batch_size
        self.done = kept
        self.failed = [name for name, text in zip(names, texts[:kept], strict=False) if text.endswith(UNREADABLE)]
        os.truncate(self.output, sum(len(row) + 1 for row in rows[:kept]))
