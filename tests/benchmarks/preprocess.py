"""Time and memory of preprocessing one CT, beside reading it alone and beside what SimpleITK's own resampling takes.

    python -m tests.benchmarks.preprocess --shape 300 512 512 --rounds 3

The CT is synthetic, an int16 .mha of that shape. Each figure is the median of the rounds, and each round a process of
its own, so that none profits from another's memory; the peak is that process' resident memory in all.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from containers.kit.errors import reports_errors
from containers.stoic.preprocess import prepare
from containers.stoic.settings import Preprocess

SPACING = (1.0, 0.7, 0.7)  # mm in z, y, x, as chest CTs have them
SETTINGS = Preprocess()


def make(path: Path, shape: tuple[int, int, int], compressed: bool) -> None:
    """A ball of soft tissue with noise in air: what matters here is how many voxels there are, and that they differ."""
    random = np.random.default_rng(0)
    z, y, x = (np.linspace(-1, 1, length, dtype=np.float32) for length in shape)
    voxels = np.empty(shape, np.int16)
    for index, height in enumerate(z):
        inside = x[None, :] ** 2 + y[:, None] ** 2 + height**2 < 0.8
        voxels[index] = np.where(inside, 40, -1000) + random.normal(0, 25, shape[1:])
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(SPACING[::-1])
    sitk.WriteImage(image, str(path), compressed)


def read(path: Path) -> Any:
    return sitk.GetArrayViewFromImage(sitk.ReadImage(str(path)))


def slipway(path: Path) -> Any:
    return prepare(path, SETTINGS, np.float16)[0]


def simpleitk(path: Path) -> Any:
    """The same grid as one writes it down first: the whole image is resampled, as floats, around its middle."""
    low, high = SETTINGS.window
    image = sitk.ReadImage(str(path), sitk.sitkFloat32)
    size, step = SETTINGS.size[::-1], SETTINGS.spacing
    middle = image.TransformContinuousIndexToPhysicalPoint([(length - 1) / 2 for length in image.GetSize()])
    origin = [centre - step * (length - 1) / 2 for centre, length in zip(middle, size, strict=True)]
    identity = sitk.Transform(3, sitk.sitkIdentity)
    found = sitk.Resample(
        image, size, identity, sitk.sitkLinear, origin, [step] * 3, image.GetDirection(), low, sitk.sitkFloat32
    )
    return ((np.clip(sitk.GetArrayFromImage(found), low, high) - low) / (high - low)).astype(np.float16)


WAYS: dict[str, Callable[[Path], Any]] = {"read alone": read, "slipway": slipway, "SimpleITK": simpleitk}


def measured(way: str, path: Path) -> dict[str, float]:
    """What a fresh process says of one way."""
    command = [sys.executable, "-m", "tests.benchmarks.preprocess", "--way", way, "--image", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer


def alone(way: str, path: Path) -> dict[str, float]:
    start = _memory("VmRSS")
    begin = time.perf_counter()
    WAYS[way](path)
    # Not ru_maxrss, which begins with what the parent had.
    return {"seconds": time.perf_counter() - begin, "start": start, "peak": _memory("VmHWM")}


def _memory(key: str) -> float:
    """GB, as the kernel counts them for this process."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:")) * 1024 / 1e9


def table(rows: dict[str, list[dict[str, float]]], least: float) -> str:
    lines = [f"{'way':<12}{'seconds':>9}{'peak GB':>9}{'more than at its start':>24}{'seconds, against reading':>26}"]
    for way, found in rows.items():
        seconds, start, peak = (statistics.median(row[key] for row in found) for key in ("seconds", "start", "peak"))
        lines.append(f"{way:<12}{seconds:>9.2f}{peak:>9.2f}{peak - start:>24.2f}{seconds / least:>26.2f}")
    return "\n".join(lines)


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", type=int, nargs=3, default=(300, 512, 512), metavar=("Z", "Y", "X"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--uncompressed", action="store_true", help="the organisers' images are compressed")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--image", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.way:
        print(json.dumps(alone(args.way, args.image)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "1.mha"
        make(path, tuple(args.shape), not args.uncompressed)
        print(f"{' x '.join(map(str, args.shape))} voxels, {path.stat().st_size / 1e6:.0f} MB", flush=True)
        rows: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
        for _ in range(args.rounds):  # in turns, so that a busy minute does not fall on one way alone
            for way, found in rows.items():
                found.append(measured(way, path))
    print(table(rows, statistics.median(row["seconds"] for row in rows["read alone"])))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
