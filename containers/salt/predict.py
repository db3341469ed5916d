"""The container's program: a folder of images to /output/submission.csv, with a line for each of them.

    SLIPWAY_INPUT=test/images SLIPWAY_OUTPUT=out SLIPWAY_ARTIFACT=results/salt/artifact \\
        python -m containers.salt.predict

Where the networks take depths, /input/depths.csv has those of the images. An image that cannot be read is named and
has no salt; the exit status then is 3. No worker processes and no shared memory.
"""

from __future__ import annotations

import argparse
import io
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from containers.kit import cpus
from containers.kit.errors import UserError, listed, reports_errors
from containers.salt import places
from containers.salt.places import DEPTHS, SUBMISSION

STOPPED = 128 + signal.SIGTERM
SOME_UNREADABLE = 3


def _depths(folder: Path, ids: Sequence[str]) -> Mapping[str, int]:
    from containers.salt import tables

    path = folder / DEPTHS
    if not path.is_file():
        raise UserError(f"{path} is not there, and the networks were trained with depths; put it beside the images")
    found = tables.depths(path)
    bare = [name for name in ids if name not in found]
    if bare:
        told = f"{path} has no depth of {len(bare):,} images ({listed(bare)}); the mean of the training counts for them"
        print(f"warning: {told}", file=sys.stderr, flush=True)
    return found


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args(argv)
    for told in (sys.stdout, sys.stderr):
        if isinstance(told, io.TextIOWrapper):
            told.reconfigure(errors="backslashreplace")  # a file's name may hold any bytes
    source = places.place("INPUT")
    paths, others = places.images(source)
    if others:
        print(f"note: {source} also holds {listed(others)}, which is left alone", file=sys.stderr, flush=True)
    output = places.output_folder()
    settings = places.settings().predict
    cpus.limit_threads()  # before numpy and torch are imported, which read it once
    with _stoppable():
        from containers.salt import stream

        depths = partial(_depths, source, [path.stem for path in paths])
        found = stream.on_any_device(places.place("ARTIFACT"), paths, depths, [settings.variant], settings)
        _write(output / SUBMISSION, paths, found.texts[settings.variant])
    for path, why in found.broken.items():
        print(f"warning: {path} counts as unreadable: {why}", file=sys.stderr, flush=True)
    if found.broken:
        missed = f"{len(found.broken):,} of {len(paths):,} images could not be read, and have no salt"
        print(f"warning: {missed}: {listed([path.name for path in found.broken])}", file=sys.stderr, flush=True)
    return SOME_UNREADABLE if found.broken else 0


def _write(path: Path, paths: Sequence[Path], texts: Sequence[str]) -> None:
    from containers.salt import submission

    submission.write(path, [path.stem for path in paths], texts)
    print(f"{path}: {len(texts):,} images, {sum(map(bool, texts)):,} of them with salt", flush=True)


@contextmanager
def _stoppable() -> Iterator[None]:
    """Meanwhile SIGTERM ends the program, which a container's first process would otherwise not even notice."""

    def stop(*_: Any) -> None:
        raise SystemExit(STOPPED)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


if __name__ == "__main__":
    raise SystemExit(main())
