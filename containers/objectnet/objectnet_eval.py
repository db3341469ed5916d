"""Evaluate a network on the photos of a folder: five of ObjectNet's objects for each, the likeliest first.

    python objectnet_eval.py images output/predictions.csv EfficientNetLite0 model/model.safetensors

Each row is name,id,confidence,...: no header, five ids from 0 to 312, or -1 for none. Rows are written as they come.
A run that was stopped goes on where it ended when the same command is given again.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if not __package__:  # called by its path: what is imported lies two folders up, and nothing in this one is meant
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from containers.kit import cpus
from containers.kit.errors import listed, reports_errors
from containers.objectnet import options

if TYPE_CHECKING:
    from containers.objectnet.backends import Opened
    from containers.objectnet.journal import Journal

STOPPED = 128 + signal.SIGTERM
SOME_UNREADABLE = 3
EDITED = Path(__file__).parent / "model"  # what is in it decides the rows as well


@dataclass
class Stop:
    """Whether SIGTERM came. While rows are in the making it waits for the batch to be written."""

    came: bool = False
    waits: bool = False

    def __call__(self, *_: Any) -> None:
        self.came = True
        if not self.waits:
            raise SystemExit(STOPPED)


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    args = options.parser(__doc__ or "").parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a file's name may hold any bytes
    for note in options.checked(args):
        print(f"note: {note}", file=sys.stderr, flush=True)
    cpus.limit_threads()  # before numpy and torch are imported, which read it once
    with _stoppable() as stop:
        return evaluate(args, stop)


def evaluate(args: argparse.Namespace, stop: Stop) -> int:
    from containers.objectnet import pictures
    from containers.objectnet.backends import open_backend
    from containers.objectnet.guesses import need
    from containers.objectnet.journal import Journal, refuse_foreign

    refuse_foreign(args.output_file)
    photos = pictures.find(args.images_dir)
    backend = open_backend(
        args.model_class_name,
        args.model_checkpoint,
        backend=args.backend,
        precision=args.precision,
        gpus=args.gpus,
    )
    if backend.classes is not None:
        need(backend.classes, args.convert_outputs_mode)
    _tell(args, backend, len(photos))
    batch_size = args.batch_size * max(1, backend.gpus)
    journal = Journal(args.output_file, [photo.name for photo in photos], _decides(args, backend), batch_size)
    if journal.done:
        print(f"{journal.done} rows are there from a run that was stopped; going on with the others", flush=True)
    with closing(journal):
        if not _write(args, photos[journal.done :], backend, journal, batch_size, stop):
            return STOPPED
        journal.finish()
    print(f"Done. Number of predictions:  {len(photos)}", flush=True)
    if journal.failed:
        told = f"{len(journal.failed)} of {len(photos)} photos could not be read, and their rows are -1"
        print(f"warning: {told}: {listed(journal.failed)}", file=sys.stderr, flush=True)
    return SOME_UNREADABLE if journal.failed else 0


def _write(
    args: argparse.Namespace, photos: Sequence[Path], backend: Opened, journal: Journal, batch_size: int, stop: Stop
) -> bool:
    """Each batch's rows as it is done; whether all were written."""
    from containers.objectnet.guesses import top5
    from containers.objectnet.inference import logits
    from containers.objectnet.journal import line, unreadable
    from containers.objectnet.pictures import BORDER

    stop.waits = True
    answers = logits(
        photos,
        backend.transform,
        backend,
        batch_size=batch_size,
        workers=args.workers,
        border=BORDER,
        tta=args.tta,
        title="photos",
    )
    with closing(answers):
        for batch in answers:
            rows = {path.name: unreadable(path.name) for path, _ in batch.unreadable}
            if batch.paths:
                found = top5(batch.logits, args.convert_outputs_mode, args.softmax, args.temperature)
                for path, ids, values in zip(batch.paths, *(numbers.tolist() for numbers in found), strict=True):
                    rows[path.name] = line(path.name, ids, values)
            journal.write(row for _, row in sorted(rows.items()))
            for path, why in batch.unreadable:
                journal.failed.append(path.name)
                print(f"warning: {path} counts as unreadable: {why}", file=sys.stderr, flush=True)
            if stop.came:
                return False
    return True


def _tell(args: argparse.Namespace, backend: Opened, photos: int) -> None:
    """The values that are used."""
    shown = {**vars(args), "gpus": backend.gpus, "photos": photos, "network": backend.described}
    width = max(map(len, shown))
    rows = [f"{name:<{width}}  {value}" for name, value in shown.items()]
    print("\n".join(["**** params ****", *rows, "****************"]), flush=True)


def _decides(args: argparse.Namespace, backend: Opened) -> dict[str, str]:
    """All that a row depends on but its photo."""
    files = {path.name: path.read_bytes() for path in sorted(EDITED.glob("*.py"))}
    code = hashlib.sha256(b"".join(name.encode() + b"\0" + text for name, text in files.items())).hexdigest()
    transform = getattr(backend.transform, "transform", "of the participant's own")
    named = ("model_class_name", "convert_outputs_mode", "softmax", "tta", "temperature")
    return {
        **backend.decides,
        **{name: str(getattr(args, name)) for name in named},
        "transform": str(transform),
        "model/*.py": code,
    }


@contextmanager
def _stoppable() -> Iterator[Stop]:
    """Meanwhile SIGTERM is heeded, which a container's first process would otherwise not even notice."""
    stop = Stop()
    before: Callable[..., Any] | int | None = signal.signal(signal.SIGTERM, stop)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


if __name__ == "__main__":
    raise SystemExit(main())
