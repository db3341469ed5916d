"""List the photos that networks are chosen by: ImageNet's classes, and never an image of ObjectNet.

    python -m workflow.scripts.objectnet.photos --photos package --scratch scratch/objectnet/raw \\
        --output scratch/objectnet/raw/photos.json

`--photos` is `package` (the twenty that a package carries), or a folder: files named <anything>_<class>.jpg or .png,
or a folder for each class, named by its number from 0 to 999, or all 1000 by ImageNet's ids (n01440764, ...).
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from containers.kit.errors import UserError, listed, reports_errors
from containers.kit.files import hash_of, write_json
from workflow.scripts.objectnet.demo_photos import FOOLBOX
from workflow.scripts.objectnet.licence import PACKAGE, refuse
from workflow.scripts.objectnet.source import packages
from workflow.scripts.slipway import demo
from workflow.scripts.slipway.packages import fetch, members, take

CLASSES = 1000
SUFFIXES = (".jpg", ".jpeg", ".png")
NUMBERED = re.compile(r"(?:.*_)?([0-9]{1,3})\.[A-Za-z]+")
NUMBER, ID = re.compile(r"[0-9]{1,3}"), re.compile(r"n[0-9]{8}")


def packaged(scratch: Path) -> Path:
    """The photos that a package carries, taken out of it once."""
    what = {"package": FOOLBOX.pin, "sha256": FOOLBOX.sha256}
    return demo.made(scratch / f"photos-{hash_of(what)}", what, partial(_unpack, packages(scratch)))


def _unpack(cache: Path, folder: Path) -> None:
    wheel = fetch(FOOLBOX, cache)
    for member in members(wheel):
        if re.fullmatch(r"foolbox/data/imagenet_[0-9]+_[0-9]+\.jpg", member):
            take(wheel, member, folder / Path(member).name)


def listing(root: Path) -> dict[str, int]:
    """The class of each photo by its path below the root."""
    if not root.is_dir():
        raise UserError(f"--photos {root} is neither '{PACKAGE}' nor a folder; name a folder of photos")
    found = sorted(path.relative_to(root) for path in root.rglob("*") if path.suffix.lower() in SUFFIXES)
    flat = [path for path in found if len(path.parts) == 1]
    if not found:
        raise UserError(f"--photos {root} holds no {', '.join(SUFFIXES)}; name a folder of photos")
    if flat and len(flat) < len(found):
        raise UserError(f"--photos {root} has photos of its own and others in folders; have them in one way")
    return _by_file(root, flat) if flat else _by_folder(root, found)


def _by_file(root: Path, files: Sequence[Path]) -> dict[str, int]:
    named = {path: NUMBERED.fullmatch(path.name) for path in files}
    wrong = [path.name for path, match in named.items() if not match]
    if wrong:
        raise UserError(
            f"--photos {root} has names without a class ({listed(wrong)}); name them NAME_<0 to {CLASSES - 1}>.jpg"
        )
    return {str(path): int(match[1]) for path, match in named.items() if match}


def _by_folder(root: Path, files: Sequence[Path]) -> dict[str, int]:
    folders = sorted({path.parts[0] for path in files})
    if all(NUMBER.fullmatch(folder) for folder in folders):
        return {str(path): int(path.parts[0]) for path in files}
    ids = [folder for folder in folders if ID.fullmatch(folder)]
    if len(ids) < len(folders):
        wrong = [folder for folder in folders if folder not in ids]
        raise UserError(
            f"--photos {root} has folders that name no class ({listed(wrong)}); name them 0 to {CLASSES - 1}, or all "
            f"{CLASSES} by ImageNet's ids"
        )
    if len(ids) != CLASSES:
        raise UserError(
            f"--photos {root} has photos in {len(ids)} folders named by ImageNet's ids; only all {CLASSES} tell "
            "the classes' numbers, so name them by numbers"
        )
    place = {folder: number for number, folder in enumerate(ids)}
    return {str(path): place[path.parts[0]] for path in files}


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", required=True, help=f"{PACKAGE}, or a folder")
    parser.add_argument(
        "--scratch", type=Path, required=True, help="folder for what is fetched; packages lie beside it"
    )
    parser.add_argument("--output", type=Path, required=True, help="the photos and their classes, as JSON")
    args = parser.parse_args(argv)
    root = packaged(args.scratch) if args.photos == PACKAGE else Path(args.photos)
    classes = listing(root)
    refuse([root / file for file in classes], f"--photos {args.photos}")
    photos = [{"file": file, "class": number} for file, number in classes.items()]
    marks = [[file, number, (root / file).stat().st_size] for file, number in classes.items()]
    record = {"schema": 1, "kind": "imagenet", "root": str(root.resolve()), "photos": photos}
    write_json(args.output, {**record, "fingerprint": hash_of(marks)})
    print(f"{len(photos):,} photos of {len(set(classes.values()))} classes of ImageNet in {root}; none is ObjectNet's")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
