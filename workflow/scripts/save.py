"""Save a tested image as the archive that the organisers load, verified while it streams.

    python -m workflow.scripts.save --record results/stoic/train/image.json \
        --verdict results/stoic/train/verdict.json --contract containers/stoic/contract.yaml --image train \
        --archive results/stoic/STOICTrain.tar.gz --sha256 results/stoic/STOICTrain.tar.gz.sha256 \
        --manifest results/stoic/STOICTrain.manifest.json

Saves nothing but the very image whose verdict is PASS. The three files appear together at the end or not at all.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError, reports_errors
from containers.kit.files import read_json
from containers.kit.progress import bar
from workflow.scripts.slipway import contract as contracts
from workflow.scripts.slipway.archive import Archive, compress
from workflow.scripts.slipway.engine import Engine, find
from workflow.scripts.slipway.imagetar import Image, familiar
from workflow.scripts.slipway.passed import check
from workflow.scripts.slipway.stream import saved

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


def save(
    engine: Engine, tag: str, image_id: str, size: int, path: Path, level: int, threads: int
) -> tuple[Archive, Image]:
    """Write the archive to `path`, checked against the image and unpacked again as it streams.

    `size` is the image's, and only tells the progress bar how far there is to go.
    """
    tag = familiar(tag)  # `docker save x` would stream every version of x that is there, not x:latest alone
    with bar(total=size, title=f"save {tag}", bytes_=True) as progress:
        with saved(engine, tag) as stream:
            archive, contents = compress(stream, path, level, threads, progress.update)
        held = contents.verified(image_id, tag)
    return archive, held


@contextmanager
def together(*paths: Path) -> Iterator[tuple[Path, ...]]:
    """Temporary siblings that take the places of `paths` when the block ends well; else none of either stays."""
    parts = tuple(path.with_name(f"{path.name}.part") for path in paths)
    try:
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)  # an archive of an earlier image beside a failed save would mislead
        yield parts
        for part, path in zip(parts, paths, strict=True):
            part.replace(path)
    except BaseException:
        for path in (*parts, *paths):
            path.unlink(missing_ok=True)
        raise


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Snakemake and batch systems end a job with SIGTERM, which would leave the `.part` behind."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    record = _checked(args.record, ("challenge", "image", "tag", "image_id", "size", "revision"))
    verdict = _checked(args.verdict, ("status", "reason", "image_id", "warnings"))
    image = contracts.load(args.contract, contracts.names_of(args.name)).image(args.image)
    if args.archive.name != f"{image.archive}.tar.gz":
        raise UserError(f"--archive must be named {image.archive}.tar.gz, as {args.contract} says")
    engine = find(args.engine)
    check(record, verdict, image, engine)
    try:
        with terminated_as_interrupted(), together(args.archive, args.sha256, args.manifest) as (part, sums, manifest):
            archive, held = save(engine, image.tag, record["image_id"], record["size"], part, args.level, args.threads)
            sums.write_text(f"{archive.sha256}  {args.archive.name}\n", encoding="utf-8")
            facts = _manifest(args.archive.name, archive, held, record, verdict, engine, args.level)
            manifest.write_text(json.dumps(facts, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    except KeyboardInterrupt:
        raise UserError(f"the save was interrupted and left nothing behind; run it again for {args.archive}") from None
    except OSError as error:
        raise UserError(
            f"{args.archive} cannot be written ({error.strerror}); make room there or choose another folder"
        ) from None
    print(f"{args.archive}: {archive.size / 1e6:.1f} MB, sha256 {archive.sha256}, verified as {record['image_id']}")
    return 0


def _manifest(
    name: str,
    archive: Archive,
    held: Image,
    record: Mapping[str, Any],
    verdict: Mapping[str, Any],
    engine: Engine,
    level: int,
) -> dict[str, Any]:
    return {
        "schema": 1,
        "challenge": record["challenge"],
        "image": record["image"],
        "archive": name,
        "size": archive.size,
        "sha256": archive.sha256,
        "tar": {"size": archive.tar_size, "sha256": archive.tar_sha256},
        "image_id": record["image_id"],
        "config": held.config,
        "tags": list(held.tags),
        "layers": [{"digest": layer.digest, "size": layer.size} for layer in held.layers],
        "revision": record["revision"],
        "verdict": {key: verdict[key] for key in ("status", "reason", "warnings")},
        "engine": {"name": engine.name, "version": engine.version},
        "versions": {
            "isal": version("isal"),
            "slipway": tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["version"],
        },
        "level": level,
        "load": f"{engine.name} load --input {name}",
    }


def _checked(path: Path, keys: Sequence[str]) -> dict[str, Any]:
    values = read_json(path)
    if not isinstance(values, dict):
        raise UserError(f"{path} must hold a JSON object; delete it and run again")
    for key in keys:
        if key not in values:
            raise UserError(f"{path} has no '{key}'; delete it and run the rule that makes it")
    return values


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least one thread must compress")
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--record", type=Path, required=True, help="image.json, which the build wrote")
    parser.add_argument("--verdict", type=Path, required=True, help="verdict.json, which the test wrote")
    parser.add_argument("--contract", type=Path, required=True, help="the challenge's contract.yaml")
    parser.add_argument("--image", required=True, help="which image of the contract")
    contracts.takes_names(parser)
    parser.add_argument("--archive", type=Path, required=True, help="the .tar.gz to write")
    parser.add_argument("--manifest", type=Path, required=True, help="JSON about what the archive holds")
    parser.add_argument("--sha256", type=Path, required=True, help="the checksum, for `sha256sum --check`")
    parser.add_argument("--engine", choices=("auto", "docker", "podman"), default="auto")
    parser.add_argument("--level", type=int, choices=range(4), default=1, help="of igzip: 0 is fast, 3 is small")
    parser.add_argument("--threads", type=_positive, default=len(os.sched_getaffinity(0)), help="that compress")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
