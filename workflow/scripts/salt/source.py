"""Where the competition's data come from. Each source is one function that gives the folders to look in.

What Kaggle gives is known in two layouts, each unpacked or still zipped:

    train.zip, test.zip, train.csv, depths.csv, sample_submission.csv     one by one, as at the time
    tgs-salt-identification-challenge.zip                                 since then; in it depths.csv and
        competition_data.zip                                              in it competition_data/train/images, ...
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from containers.kit.errors import UserError
from containers.kit.files import hash_of
from workflow.scripts.remote import terms
from workflow.scripts.remote.bring import FOLDER
from workflow.scripts.remote.room import need
from workflow.scripts.remote.table import Archive, Row
from workflow.scripts.remote.unpack import unpack
from workflow.scripts.remote.unpack_plan import UnsoundError
from workflow.scripts.salt.demo_images import Demo, generate
from workflow.scripts.slipway import kaggle, kaggle_access

COMPETITION = "tgs-salt-identification-challenge"
INNER = "competition_data"
ZIPS = (f"{COMPETITION}.zip", f"{INNER}.zip", "train.zip", "test.zip")
IMAGES = "train/images"
KEY, ROW = "challenges.salt.source", "sources.data.salt"


def demo(settings: Demo, scratch: Path, workers: int) -> tuple[Path, ...]:
    """Synthetic sections, made once and kept."""
    return (generate(settings, scratch, workers),)


def remote(row: Row, accept: Sequence[str], scratch: Path, workers: int) -> tuple[Path, ...]:
    """What Kaggle gives, or a mirror's one zip: fetched and unpacked below `scratch`, and neither of it twice."""
    terms.accepted(row, accept, scratch)
    place = scratch.absolute() / FOLDER
    if row.kaggle:
        found = place / row.kaggle.competition
        if not found.is_dir():
            program, hidden = kaggle_access.find(), kaggle_access.secrets()
            if not any(place.glob(f".{row.kaggle.competition}.*")):  # else some of it is there
                need(place, 2 * row.kaggle.about, f"{row.title} (what Kaggle gives, and what that holds)")
            kaggle.download(program, row.kaggle.competition, found, row.kaggle.page, hidden)
            _compare(found / ZIPS[0], row.kaggle.md5)
        return folder(found, row, scratch, workers)
    if row.http:
        from workflow.scripts.remote import http  # here, since the other sources need none of what it imports

        return _within([http.fetch(row.http, place, ROW)], place, row, scratch, workers)
    raise UserError(f"{ROW} has neither kaggle nor http; correct it under sources")


def _compare(path: Path, due: str) -> None:
    """Tell of another zip than the known one: Kaggle may have packed it anew, and what is in it is checked anyway."""
    if due and path.is_file():
        with path.open("rb") as stream:
            got = hashlib.file_digest(stream, "md5").hexdigest()
        said = "has the checksum that is known" if got == due else f"is not the known one (its md5 is {got}, not {due})"
        print(f"note: {path} {said}", file=sys.stderr)


def _limits(row: Row) -> Archive:
    if row.archive is None:
        raise UserError(f"{ROW} must have archive, as config/sources.yaml has it; correct it under sources")
    return row.archive


def folder(path: Path, row: Row, scratch: Path, workers: int = 0) -> tuple[Path, ...]:
    """Where to look for the parts: the data's own folder first, which is only read, and what was unpacked of it."""
    root = _with_images(path)
    if root:
        return _and_above(root, path)
    zips = _zips(path)
    if not zips:
        raise UserError(f"{path} has neither {IMAGES} nor one of {', '.join(ZIPS)}; set {KEY} to the folder of one")
    return _within(zips, path, row, scratch, workers)


def _within(zips: list[Path], path: Path, row: Row, scratch: Path, workers: int) -> tuple[Path, ...]:
    """The images are in the zips; the tables are there, too, or beside them in `path`."""
    unpacked = _unpacked(zips, scratch, _limits(row), workers)
    root = _with_images(unpacked)
    if not root:
        names = " and ".join(one.name for one in zips)
        raise UserError(f"{path} has no {IMAGES}, nor is it in {names}; put train.zip or {ZIPS[0]} there")
    return (*_and_above(root, unpacked), path)


def _zips(path: Path) -> list[Path]:
    """Those that hold all between them: the outermost where there are several."""
    there = [path / name for name in ZIPS if (path / name).is_file()]
    return there if there and there[0].stem in ("train", "test") else there[:1]


def _with_images(path: Path) -> Path | None:
    """The folder that holds train/images: this one, or one at most two below it."""
    levels = ("", "*/", "*/*/")
    found: Iterator[Path] = (one for level in levels for one in sorted(path.glob(f"{level}{IMAGES}")) if one.is_dir())
    images = next(found, None)
    return images.parents[1] if images else None


def _and_above(root: Path, top: Path) -> tuple[Path, ...]:
    """The tables may lie above the images, as depths.csv does in the later layout; never beyond `top`."""
    return (root, *(folder for folder in root.parents if folder == top or top in folder.parents))


def _unpacked(zips: list[Path], scratch: Path, limits: Archive, workers: int) -> Path:
    """What the zips hold, unpacked once and whole: the folder's name tells which files of which time they were."""
    marks = [[str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns] for path in zips]
    target = scratch.absolute() / f"unpacked-{hash_of(marks)}"
    work = target.with_name(f".{target.name}.parts")  # what was begun there is gone on with
    try:
        if not target.is_dir():
            parts = [part for index, one in enumerate(zips) for part in _parts(one, work / str(index), limits, workers)]
            for part in parts:
                _move(part, work / "whole")
            (work / "whole").rename(target)
        shutil.rmtree(work, ignore_errors=True)
    except UnsoundError:  # another zip will be another folder
        shutil.rmtree(work, ignore_errors=True)
        raise
    except OSError as error:
        raise UserError(f"{scratch} cannot take what {zips[0]} holds ({error.strerror}); make room there") from None
    finally:
        with suppress(OSError):  # it is not there, or holds what the next run goes on with
            work.rmdir()
    return target


def _parts(path: Path, part: Path, limits: Archive, workers: int, called: str = "") -> Iterator[Path]:
    """One zip as the folder `part`, and those of the competition in it beside that; errors name what it is `called`."""
    called = called or str(path)
    top = path.stem if path.stem in ("train", "test") else ""
    unpack(path, part, limits, top=top, called=called, workers=workers, key=ROW)
    for name in () if top or path.name in ZIPS[1:] else ZIPS[1:]:
        if (part / name).is_file():
            below = part.with_name(f"{part.name}-{name}")
            yield from _parts(part / name, below, limits, workers, f"{called}/{name}")
    yield part


def _move(part: Path, whole: Path) -> None:
    """All but the zips; what an interrupted run had moved is no longer in `part`."""
    whole.mkdir(exist_ok=True)
    for path in sorted(part.iterdir()):
        if path.name in ZIPS:
            continue
        if (whole / path.name).exists():
            raise UnsoundError(f"{path.name} is in more than one of Kaggle's zips; download them again")
        path.rename(whole / path.name)
