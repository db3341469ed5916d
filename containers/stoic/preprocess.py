"""Bring chest CTs to one grid: 1.6 mm, a fixed size, HU mapped to 0..1; the same code on the host and in both images.

    python -m containers.stoic.preprocess --manifest scratch/stoic/raw/manifest.json --shard 0 --shards 4 \\
        --settings '{"spacing": 1.6}' --cases scratch/stoic/preprocessed/cases --output shard.json

The organisers' geometry: the grid begins at the image's own origin; y and x keep the centre; z keeps the last slices,
those nearest to the head. A volume that is too short is padded where the crop reaches beyond it: on both sides in y and
x, and below the first slice in z. Padding is air, or 0 HU as in their baseline with `organisers_padding`.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from containers.kit import store
from containers.kit.errors import UserError, listed, reports_errors
from containers.kit.files import hash_of, read_json, write_json
from containers.kit.pool import each
from containers.kit.resample import Grid, resample
from containers.kit.settings import parse
from containers.kit.volumes import Volume
from containers.stoic.data import REFERENCE, Sex, image_file, read_reference
from containers.stoic.settings import Preprocess

RECIPE = 1  # raise it when the same settings give other voxels, so that cases made before are made again


@dataclass(frozen=True)
class Demographics:
    """What the image's header tells of the patient; None where it does not, or not plausibly."""

    age: int | None
    sex: Sex | None


@dataclass(frozen=True)
class Source:
    """One image to preprocess."""

    id: int
    path: Path


@dataclass(frozen=True)
class Outcome:
    """The ids of the cases that are there now: made by this run, or kept from one before."""

    made: tuple[int, ...]
    kept: tuple[int, ...]


def sources(root: Path) -> list[Source]:
    """All cases of a data set in the organisers' layout, as the training container finds it in /input."""
    return [Source(row.id, root / image_file(row.id)) for row in sorted(read_reference(root / REFERENCE))]


def geometry(settings: Preprocess) -> str:
    """A short name for everything that decides the voxels; the number of workers does not."""
    return hash_of([RECIPE, settings.spacing, settings.size, settings.window, settings.organisers_padding])


def prepare(path: Path, settings: Preprocess, dtype: type = np.float32) -> tuple[np.ndarray[Any, Any], Demographics]:
    """One image as the network takes it, (Z, Y, X) in 0..1, and what its header tells of the patient."""
    _check(settings)
    volume = Volume.open(path)
    grid = Grid.plan(volume.shape, volume.spacing, settings.spacing, settings.size, ("end", "centre", "centre"))
    low, high = settings.window
    padding = 0.0 if settings.organisers_padding else low
    voxels = resample(volume.read(grid.needed), grid, low=low, high=high, padding=padding, dtype=dtype)
    return voxels, demographics(volume.tags)


def demographics(tags: Mapping[str, str]) -> Demographics:
    """`PatientAge` 065Y and `PatientSex` M of an image's header."""
    age = re.fullmatch(r"(\d{1,3})Y", tags.get("PatientAge", "").strip())
    sex: dict[str, Sex] = {"M": "M", "F": "F"}
    years = int(age[1]) if age else 0
    return Demographics(years if 0 < years <= 120 else None, sex.get(tags.get("PatientSex", "").strip()))


def preprocess(cases: Sequence[Source], settings: Preprocess, folder: Path, workers: int | None = None) -> Outcome:
    """Put every case into `folder` that is not there yet; those that cannot be read are named at the end, together.

    `workers` None takes the number of the settings, and 0 one process a CPU.
    """
    _check(settings)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder} cannot be made ({error.strerror}); choose another folder for the cases") from None
    missing = [str(case.path) for case in cases if not case.path.is_file()]
    there = [case for case in cases if case.path.is_file()]
    todo = [case for case in there if not store.is_done(folder, str(case.id), _mark(case, settings))]
    count = settings.workers if workers is None else workers
    results = each(partial(_put, settings, folder), todo, workers=count, title="preprocess") if todo else []
    broken = [f"{path} is not there" for path in missing] + [str(r) for r in results if isinstance(r, UserError)]
    if broken:
        raise UserError(f"{len(broken)} of {len(cases)} cases cannot be preprocessed: {'; and '.join(broken)}")
    made = {case.id for case in todo}
    return Outcome(tuple(sorted(made)), tuple(sorted(case.id for case in cases if case.id not in made)))


def _put(settings: Preprocess, folder: Path, case: Source) -> None:
    mark = _mark(case, settings)
    voxels, patient = prepare(case.path, settings, np.float16)
    store.save(folder, str(case.id), voxels, {"id": case.id, "age": patient.age, "sex": patient.sex, **mark})


def _mark(case: Source, settings: Preprocess) -> dict[str, Any]:
    status = case.path.stat()
    source = {"size": status.st_size, "mtime_ns": status.st_mtime_ns}
    return {"source": source, "settings": geometry(settings)}


def _check(settings: Preprocess) -> None:
    if settings.spacing <= 0:
        raise UserError(f"preprocess.spacing is {settings.spacing}; it must be positive, in mm")
    if len(settings.size) != 3 or min(settings.size) < 1:
        raise UserError(f"preprocess.size is {list(settings.size)}; it must be three positive numbers of voxels, z y x")


def shard_of(manifest: Path, shard: int, shards: int) -> list[Source]:
    """Every `shards`-th case of a manifest, beginning with number `shard`."""
    if not 0 <= shard < shards:
        raise UserError(f"--shard {shard} is not one of the {shards} of --shards; count from 0")
    content = read_json(manifest)
    root = Path(content["root"])
    cases = content["cases"][shard::shards]
    changed = [
        str(root / case["file"])
        for case in cases
        if (root / case["file"]).is_file() and (root / case["file"]).stat().st_size != case["size"]
    ]
    if changed:
        raise UserError(f"{listed(changed)} changed since {manifest} was written; delete that and run again")
    return [Source(case["id"], root / case["file"]) for case in cases]


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", type=Path, required=True, help="what fetch wrote")
    parser.add_argument("--shard", type=int, default=0, help="which share of the cases, from 0")
    parser.add_argument("--shards", type=int, default=1, help="how many shares there are")
    parser.add_argument("--settings", required=True, help="the section stoic.preprocess as JSON, or @file")
    parser.add_argument("--cases", type=Path, required=True, help="folder for the preprocessed cases")
    parser.add_argument("--workers", type=int, help="processes; 0 means one a CPU; by default what the settings say")
    parser.add_argument("--output", type=Path, required=True, help="what was done, as JSON")
    args = parser.parse_args(argv)
    settings = parse(Preprocess, args.settings, "preprocess")
    cases = shard_of(args.manifest, args.shard, args.shards)
    outcome = preprocess(cases, settings, args.cases, args.workers)
    done = {
        "schema": 1,
        "shard": args.shard,
        "shards": args.shards,
        "ids": [case.id for case in cases],
        "made": len(outcome.made),
        "kept": len(outcome.kept),
        "settings": geometry(settings),
    }
    write_json(args.output, done)
    print(f"shard {args.shard}: {done['made']} cases preprocessed, {done['kept']} kept from before")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
