"""What the organisers run: every scan of the input folder gets a label map of the same name in the output folder.

    SLIPWAY_INPUT=scans SLIPWAY_OUTPUT=out SLIPWAY_ARTIFACT=results/amos/artifact \\
        python -m containers.amos.run_inference

A scan that cannot be segmented is named and costs the others nothing; the exit status then is 1.
No worker processes and no shared memory, and nothing is written but the label maps.
"""

from __future__ import annotations

import argparse
import gc
import io
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from containers.amos import places
from containers.amos.organs import ORGANS
from containers.kit import cpus
from containers.kit.errors import UserError, reports_errors

if TYPE_CHECKING:
    from containers.amos.model import Model
    from containers.amos.predictor import Options
    from containers.amos.settings import Predict

MOST_TOLD = 5  # failures in the last line; each has had a line of its own before


@dataclass(frozen=True)
class Done:
    """What is worth telling of one case."""

    shape: tuple[int, int, int]  # z, y, x
    seconds: float
    organs: tuple[int, ...]  # that were found
    removed: int  # voxels of small components

    def __str__(self) -> str:
        size = " x ".join(map(str, self.shape))
        names = ", ".join(ORGANS.get(organ, str(organ)) for organ in self.organs)
        cleaned = f", {self.removed} voxels of small parts removed" if self.removed else ""
        found = f"{len(self.organs)} of {len(ORGANS)} organs ({names or 'only background'})"
        return f"{size} voxels, {self.seconds:.1f} s, {found}{cleaned}"


def predict_file(source: Path, target: Path, model: Model, options: Options, clean: bool) -> Done:
    """Segment one scan; a `UserError` says why it cannot be done, and then nothing is written."""
    from containers.amos import volume
    from containers.amos.components import present, remove_small
    from containers.amos.estimate import need
    from containers.amos.predictor import segment

    begun = time.monotonic()
    head = volume.head(source)
    need(head.shape, head.itemsize, head.spacing, model, options)  # refuses what would end in a kill for memory
    scan = volume.read(source)
    if scan.replaced:
        what = f"{scan.replaced} voxels that are NaN or infinite count as its smallest value"
        print(f"warning: {_shown(source)}: {what}", file=sys.stderr, flush=True)
    labels = segment(scan.voxels, scan.spacing, model, options, title=_shown(source))
    del scan  # its memory is the cleaning's
    removed = remove_small(labels, math.prod(head.spacing), model.min_volume) if clean else {}
    volume.write(target, labels, like=head)
    return Done(head.shape, time.monotonic() - begun, present(labels), sum(removed.values()))


def predict_all(cases: Sequence[Path], output: Path, model: Model, options: Options, clean: bool) -> dict[str, str]:
    """Segment one after another; the failed ones, and why."""
    failed: dict[str, str] = {}
    for case in cases:
        try:
            done = predict_file(case, output / case.name, model, options, clean)
            print(f"{_shown(case)}: {done}", flush=True)
        except Exception as error:  # whatever it is, the next case may be better
            failed[_shown(case)] = _why(error, case)
            print(f"error: {_shown(case)}: {failed[_shown(case)]}", file=sys.stderr, flush=True)
        gc.collect()  # an error holds the memory of what it stopped
    return failed


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a file's name may hold any bytes
    source = places.input_folder()
    cases, remarks = places.scans(source)
    for remark in remarks:
        print(f"warning: {remark}", file=sys.stderr, flush=True)
    if not cases:
        raise UserError(f"{source} has no .nii.gz file; mount the folder with the scans there")
    output = places.output_folder(source)
    settings = places.settings().predict
    cpus.limit_threads()  # before numpy and torch are imported, which read it once
    from containers.amos.model import load

    model = load(places.place("ARTIFACT"))
    failed = predict_all(cases, output, model, options_of(settings), settings.clean)
    told = f"{len(cases) - len(failed)} of {len(cases)} cases written"
    if failed:
        shown = [f"{name} ({why})" for name, why in list(failed.items())[:MOST_TOLD]]
        more = f"; and {len(failed) - MOST_TOLD} more" if len(failed) > MOST_TOLD else ""
        raise UserError(f"{told}; failed: {'; '.join(shown)}{more}")
    print(told, flush=True)
    return 0


def options_of(settings: Predict) -> Options:
    """What the settings come to on this machine."""
    import torch

    from containers.amos.predictor import Options

    cuda = settings.device == "auto" and torch.cuda.is_available()
    device = torch.device("cuda" if cuda else "cpu")
    return Options(mirror=settings.mirror, step=settings.step, device=device, limit=round(settings.memory * 1e9))


def _why(error: Exception, case: Path) -> str:
    """In words; of an error that nobody foresaw also where it came from."""
    import torch

    if isinstance(error, UserError):
        return str(error).removeprefix(f"{case} ")
    if isinstance(error, torch.OutOfMemoryError):
        return "the GPU's memory does not suffice"
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        return "the memory does not suffice"
    frame = error.__traceback__
    while frame and frame.tb_next:
        frame = frame.tb_next
    place = f" at {Path(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}" if frame else ""
    return f"{type(error).__name__}{place}: {' '.join(str(error).split())[:300]}"


def _shown(path: Path) -> str:
    """The name on one line, whatever is in it."""
    return path.name if path.name.isprintable() else ascii(path.name)[1:-1]


if __name__ == "__main__":
    raise SystemExit(main())
