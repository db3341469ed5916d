"""The demo data in the layouts that Kaggle gives."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

COMPETITION = "tgs-salt-identification-challenge"
TABLES = ("train.csv", "depths.csv", "sample_submission.csv")


def pack(target: Path, source: Path, within: str = "") -> Path:
    """A zip of all files below `source`, named as they lie below `within`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(source.rglob("*")):
            archive.write(path, Path(within) / path.relative_to(source))
    return target


def old(root: Path, folder: Path) -> Path:
    """One by one: two zips and the tables."""
    for part in ("train", "test"):
        pack(folder / f"{part}.zip", root / part)
    for name in TABLES:
        shutil.copy(root / name, folder / name)
    return folder


def current(root: Path, folder: Path) -> Path:
    """One zip that holds depths.csv and another one."""
    work = folder.parent / f"{folder.name}-work"
    shutil.copytree(root, work / "all")
    work.joinpath("outer").mkdir()
    (work / "all/depths.csv").rename(work / "outer/depths.csv")
    pack(work / "outer/competition_data.zip", work / "all", "competition_data")
    pack(folder / f"{COMPETITION}.zip", work / "outer")
    shutil.rmtree(work)
    return folder


def current_unpacked(root: Path, folder: Path) -> Path:
    shutil.copytree(root, folder / "competition_data")
    (folder / "competition_data/depths.csv").rename(folder / "depths.csv")
    return folder


def unpacked(root: Path, folder: Path) -> Path:
    shutil.copytree(root, folder)
    return folder


def mac(root: Path, folder: Path) -> Path:
    """Zipped again by hand: the zips hold the folder itself, and what a Mac adds."""
    for part in ("train", "test"):
        with zipfile.ZipFile(pack(folder / f"{part}.zip", root / part, part), "a") as archive:
            archive.writestr(f"__MACOSX/{part}/._images", b"x")
            archive.writestr(f"{part}/images/.DS_Store", b"x")
    for name in TABLES:
        shutil.copy(root / name, folder / name)
    return folder
