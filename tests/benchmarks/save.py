"""Time and size of saving an image with about 760 MB of torch: the engine alone, `| gzip -c`, and Slipway.

    python -m tests.benchmarks.save --rounds 3

Slipway's figure includes what the others leave out: it checks every layer's digest against the image, and unpacks again
what it compressed. The image is built for this and removed at the end.
"""

from __future__ import annotations

import argparse
import os
import shlex
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from containers.kit.errors import UserError, reports_errors
from workflow.scripts.save import save
from workflow.scripts.slipway.engine import Engine, find

TAG = "slipway-benchmark-save:latest"
ORGANISERS = "gzip -c"  # as their documents have it


@contextmanager
def image(engine: Engine) -> Iterator[str]:
    """The id of an image that holds this environment's torch and nothing else."""
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        raise UserError("torch is not in this environment; run `./slipway setup`")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "Dockerfile"
        file.write_text("FROM scratch\nADD . /torch\n", encoding="utf-8")
        engine.run("build", "--quiet", "--tag", TAG, "--file", str(file), str(Path(spec.origin).parent))
    try:
        found = engine.image_id(TAG)
        assert found is not None
        yield found
    finally:
        engine.run("image", "rm", "--force", TAG, check=False)


def streamed(engine: Engine) -> int:
    """The bytes that the engine itself can deliver."""
    with subprocess.Popen(engine.command("save", TAG), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        pipe, size = process.stdout.fileno(), 0
        while data := os.read(pipe, 1 << 20):
            size += len(data)
    if process.returncode:
        raise UserError(f"`{shlex.join(engine.command('save', TAG))}` ended with {process.returncode}")
    return size


def piped(engine: Engine, path: Path) -> int:
    script = f"set -o pipefail; {shlex.join(engine.command('save', TAG))} | {ORGANISERS} > {shlex.quote(str(path))}"
    subprocess.run(["bash", "-c", script], check=True)
    return path.stat().st_size


def saved(engine: Engine, image_id: str, path: Path, level: int, threads: int) -> int:
    size = int(engine.ask("image", "inspect", "--format", "{{.Size}}", TAG))
    return save(engine, TAG, image_id, size, path, level, threads)[0].size


def timed(work: Callable[[], int]) -> tuple[float, int]:
    begin = time.perf_counter()
    size = work()
    return time.perf_counter() - begin, size


def table(rows: dict[str, list[tuple[float, int]]]) -> str:
    engine_alone, gzip, _ = (statistics.median(seconds for seconds, _ in found) for found in rows.values())
    raw = next(iter(rows.values()))[0][1]
    lines = [f"{'way':<22}{'seconds':>9}{'MB':>9}{'of the tar':>12}{'engine = 1':>12}{'gzip = 1':>10}"]
    for way, found in rows.items():
        seconds, size = statistics.median(one for one, _ in found), found[-1][1]
        lines.append(
            f"{way:<22}{seconds:>9.2f}{size / 1e6:>9.1f}{size / raw:>12.3f}"
            f"{seconds / engine_alone:>12.2f}{seconds / gzip:>10.2f}"
        )
    return "\n".join(lines)


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engine", choices=("auto", "docker", "podman"), default="auto")
    parser.add_argument("--level", type=int, choices=range(4), default=1, help="of igzip: 0 is fast, 3 is small")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="that compress")
    args = parser.parse_args(argv)
    engine = find(args.engine)
    ways = ("engine alone", f"engine | {ORGANISERS}", f"slipway, level {args.level}")
    rows: dict[str, list[tuple[float, int]]] = {way: [] for way in ways}
    with image(engine) as image_id, tempfile.TemporaryDirectory() as folder:
        works: tuple[Callable[[], int], ...] = (
            lambda: streamed(engine),
            lambda: piped(engine, Path(folder) / "gzip.tar.gz"),
            lambda: saved(engine, image_id, Path(folder) / "slipway.tar.gz", args.level, args.threads),
        )
        for _ in range(args.rounds):  # in turns, so that a busy minute does not fall on one way alone
            for way, work in zip(ways, works, strict=True):
                rows[way].append(timed(work))
    print(f"{engine.name} {engine.version}, {args.threads} threads, median of {args.rounds} rounds")
    print(table(rows))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
