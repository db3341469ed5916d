"""Where the competition's data come from. Each source is one function that gives the folders to look in.

What Kaggle gives is known in two layouts, each unpacked or still zipped:

    train.zip, test.zip, train.csv, depths.csv, sample_submission.csv     one by one, as at the time
    tgs-salt-identification-challenge.zip                                 since then; in it depths.csv and
        competition_data.zip                                              in it competition_data/train/images, ...
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from containers.kit.errors import UserError
from containers.kit.files import hash_of, replacing_tree
from workflow.scripts.salt.demo_images import Demo, generate
from workflow.scripts.salt.unpack import unpack

COMPETITION = "tgs-salt-identification-challenge"
INNER = "competition_data"
ZIPS = (f"{COMPETITION}.zip", f"{INNER}.zip", "train.zip", "test.zip")
IMAGES = "train/images"
KEY = "challenges.salt.source"


def demo(settings: Demo, scratch: Path, workers: int) -> tuple[Path, ...]:
    """Synthetic sections, made once and kept."""
    return (generate(settings, scratch, workers),)


def remote() -> tuple[Path, ...]:
    """Kaggle."""
    raise UserError(
        f"this version cannot fetch source 'remote' itself; accept the rules of the competition {COMPETITION} on "
        f"Kaggle's page of it, run 'kaggle competitions download -c {COMPETITION}' and set {KEY} to the folder"
    )


def folder(path: Path, scratch: Path) -> tuple[Path, ...]:
    """Where to look for the parts: the data's own folder first, which is only read, and what was unpacked of it."""
    if not path.is_dir():
        raise UserError(f"source {path} is neither 'demo' nor 'remote' nor a folder; set {KEY} to one of them")
    root = _with_images(path)
    if root:
        return _and_above(root, path)
    zips = _zips(path)
    if not zips:
        raise UserError(f"{path} has neither {IMAGES} nor one of {', '.join(ZIPS)}; set {KEY} to the folder of one")
    unpacked = _unpacked(zips, scratch)
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


def _unpacked(zips: list[Path], scratch: Path) -> Path:
    """What the zips hold, unpacked once and whole: the folder's name tells which files of which time they were."""
    marks = [[str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns] for path in zips]
    target = scratch.absolute() / f"unpacked-{hash_of(marks)}"
    if target.is_dir():
        return target
    try:
        with replacing_tree(target) as new:
            for path in zips:
                _unpack(path, new)
    except OSError as error:
        raise UserError(f"{scratch} cannot take what {zips[0]} holds ({error.strerror}); make room there") from None
    return target


def _unpack(path: Path, target: Path, called: str = "") -> None:
    """One zip, and those of the competition in it, which are not kept; errors name what it is `called`."""
    called = called or str(path)
    top = path.stem if path.stem in ("train", "test") else ""
    unpack(path, target, top, called)
    for name in () if top else ZIPS[1:]:
        inner = target / name
        if inner.is_file() and path.name != name:
            _unpack(inner, target, f"{called}/{name}")
            inner.unlink()
