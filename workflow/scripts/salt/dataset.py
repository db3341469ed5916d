"""The competition's data in a folder: images, masks and tables, checked against each other."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from containers.kit.errors import UserError, listed
from containers.salt import tables
from containers.salt.rle import PIXELS, decode_all
from workflow.scripts.salt import pictures

IMAGES, MASKS, TEST = "train/images", "train/masks", "test/images"
TRAIN, DEPTHS, SAMPLE = "train.csv", "depths.csv", "sample_submission.csv"
HINT = {IMAGES: "train.zip", MASKS: "train.zip", TEST: "test.zip"}  # what holds it as it comes from Kaggle
SUFFIX = ".png"
WHOLE = (4_000, 18_000)  # images to learn from and to be judged by


@dataclass(frozen=True)
class Case:
    """An image; paths are relative to the root. Without salt there is no text `rle`."""

    id: str
    image: str
    size: int  # of the image's file, in bytes
    z: int | None
    mask: str | None = None
    rle: str | None = None
    coverage: float | None = None  # share of salt; None of the test


@dataclass(frozen=True)
class Competition:
    root: Path
    train: tuple[Case, ...]
    test: tuple[Case, ...]
    notes: tuple[str, ...]


def read(places: Sequence[Path], workers: int = 0) -> Competition:
    """What is there; the images are in the first place, the tables in the first that has them."""
    root = places[0]
    _complete(places)
    images, masks, test = (_files(root / part) for part in (IMAGES, MASKS, TEST))
    table = _found(places, TRAIN)
    texts = tables.rows(table, "rle_mask")
    _agree(table, texts, {"image": (root / IMAGES, images), "mask": (root / MASKS, masks)})
    both = sorted(images.keys() & test.keys())
    if both:
        raise UserError(f"{root} has images both in {IMAGES} and in {TEST} ({listed(both)}); take them from one")
    _agree_with_sample(places, root / TEST, test)
    ids = sorted(texts)
    salt = decode_all([texts[one] for one in ids], [f"{table}, rle_mask of {one}," for one in ids])
    shares = [int(one) / PIXELS for one in salt.sum(axis=(1, 2))]
    pictures.check(root, _work(ids, sorted(test), texts), workers)
    feet = tables.depths(_found(places, DEPTHS))
    train = tuple(
        Case(one, _path(IMAGES, one), images[one], feet.get(one), _path(MASKS, one), texts[one] or None, share)
        for one, share in zip(ids, shares, strict=True)
    )
    others = tuple(Case(one, _path(TEST, one), test[one], feet.get(one)) for one in sorted(test))
    return Competition(root.resolve(), train, others, tuple(_notes(places, (*train, *others))))


def _work(train: Sequence[str], test: Sequence[str], texts: Mapping[str, str]) -> list[pictures.Check]:
    masks = pictures.checks([_path(MASKS, one) for one in train], [texts[one] for one in train])
    images = [pictures.checks([_path(part, one) for one in ids]) for part, ids in ((IMAGES, train), (TEST, test))]
    return [*images[0], *masks, *images[1]]


def _complete(places: Sequence[Path]) -> None:
    """All parts are there, or one sentence names all that are not."""
    root = places[0]
    missing = [f"{part} (from {HINT[part]})" for part in (IMAGES, MASKS, TEST) if not (root / part).is_dir()]
    missing += [name for name in (TRAIN, DEPTHS) if not any((place / name).is_file() for place in places)]
    if missing:
        raise UserError(f"{places[-1]} lacks {', '.join(missing)}; put there what the competition has")


def _found(places: Sequence[Path], name: str) -> Path:
    return next(place / name for place in places if (place / name).is_file())


def _files(folder: Path) -> dict[str, int]:
    """Bytes of each image by its id."""
    try:
        with os.scandir(folder) as entries:
            found = {
                entry.name.removesuffix(SUFFIX): entry.stat().st_size
                for entry in entries
                if entry.name.endswith(SUFFIX) and not entry.name.startswith(".") and entry.is_file()
            }
    except OSError as error:
        raise UserError(f"{folder} cannot be read ({error.strerror}); see to its permissions") from None
    if not found:
        raise UserError(f"{folder} holds no PNG; put there what the competition has")
    return found


def _agree(table: Path, ids: Iterable[str], parts: Mapping[str, tuple[Path, Mapping[str, int]]]) -> None:
    """Each row has its files, and each file its row."""
    listed_ids = set(ids)
    for kind, (folder, files) in parts.items():
        bare = sorted(listed_ids - files.keys())
        if bare:
            raise UserError(f"{table} has {len(bare):,} ids without {kind} in {folder} ({listed(bare)}); add them")
        unknown = sorted(files.keys() - listed_ids)
        if unknown:
            raise UserError(
                f"{folder} has {len(unknown):,} {kind}s that {table} does not list ({listed(unknown)}); "
                "take both from one download"
            )


def _agree_with_sample(places: Sequence[Path], folder: Path, test: Mapping[str, int]) -> None:
    """The sample lists the test's images; not every download has it."""
    if any((place / SAMPLE).is_file() for place in places):
        sample = _found(places, SAMPLE)
        _agree(sample, tables.rows(sample, "rle_mask"), {"image": (folder, test)})


def _path(part: str, name: str) -> str:
    return f"{part}/{name}{SUFFIX}"


def _notes(places: Sequence[Path], cases: Sequence[Case]) -> Iterable[str]:
    bare = [case.id for case in cases if case.z is None]
    if bare:
        yield f"{_found(places, DEPTHS)} has no depth of {len(bare):,} images ({listed(bare)})"
