"""ObjectNet's images in a folder, flat or in a folder for each object as in the release, and what they show."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError, did_you_mean, listed
from containers.kit.files import read_json
from containers.objectnet.labels import LAST, OF_FOLDER
from containers.objectnet.mapping import OVERLAP

RELEASE, IMAGES = "objectnet-1.0", "images"
ALL = "answers-objectnet-all.json"  # of the organisers' two files the one that has every image
ANSWERS = "name the answers of these images by challenges.objectnet.answers"
WHOLE, KNOWN = 50_273, 18_574  # images of the release, and those of them whose object ImageNet has, too


@dataclass(frozen=True)
class Images:
    root: Path
    sizes: dict[str, int]  # bytes by path below the root, in the order of the files' names
    answers: dict[str, int]  # by the file's name alone; may be empty
    told: str  # where the answers are from


def read(path: Path, answers: str = "") -> Images:
    """What lies in a folder; `answers` is a file with the objects' numbers, else it is looked for."""
    root = next((place for place in (path / RELEASE / IMAGES, path / IMAGES, path) if place.is_dir()), path)
    sizes, folders = _files(root)
    of_name = _by_name(root, sizes)
    file = Path(answers) if answers else None if folders else _beside(root)
    if file:
        return Images(root, sizes, _known(read_answers(file, ANSWERS), file, of_name, root), str(file))
    if not folders:
        return Images(root, sizes, {}, "")
    return Images(root, sizes, {name: _number(root, file) for name, file in of_name.items()}, "the folders' names")


def counted(images: Images) -> str:
    """What is there, for people."""
    count = len(images.sizes)
    whole = "the whole release" if count == WHOLE else f"the release has {WHOLE:,}"
    if not images.answers:
        return f"{count:,} images ({whole}), without answers"
    known = sum(number in OVERLAP for number in images.answers.values())
    all_known = "" if known == KNOWN else f" (the release has {KNOWN:,})"
    objects = len(set(images.answers.values()))
    bare = count - len(images.answers)
    told = f"{count:,} images ({whole}) of {objects} of {LAST + 1} objects, by {images.told}; "
    told += f"{known:,} show one of the {len(OVERLAP)} objects that ImageNet has, too{all_known}"
    return told + (f"; {bare:,} have no answer and are left out" if bare else "")


def _files(root: Path) -> tuple[dict[str, int], bool]:
    """Bytes of each image by its path below the root, and whether they lie in folders; none is opened."""
    try:
        flat, folders = _scan(root)
        nested = {f"{folder}/{name}": size for folder in folders for name, size in _scan(root / folder)[0].items()}
        inner = [f"{folder}/{one}" for folder in folders for one in _scan(root / folder)[1]] if nested else []
    except OSError as error:
        raise UserError(f"{root} cannot be read ({error.strerror}); set challenges.objectnet.source") from None
    if flat and nested:
        raise UserError(
            f"{root} has images of its own and others in folders, such as {min(nested)}; "
            "have them all in one folder, or each in that of its object"
        )
    if inner:
        raise UserError(f"{root / min(inner)} is a folder in an object's folder; put the images into {root}/<object>")
    found = flat or nested
    if not found:
        raise UserError(f"{root} holds no PNG; set challenges.objectnet.source to the folder with ObjectNet's images")
    return {file: found[file] for file in sorted(found, key=lambda file: file.rpartition("/")[2])}, bool(nested)


def _scan(folder: Path) -> tuple[dict[str, int], list[str]]:
    images: dict[str, int] = {}
    folders = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):  # the container leaves them out, too
                continue
            if entry.is_dir():
                folders.append(entry.name)
            elif entry.name.endswith(".png"):
                images[entry.name] = entry.stat().st_size
    return images, sorted(folders)


def _by_name(root: Path, sizes: Mapping[str, int]) -> dict[str, str]:
    of_name: dict[str, str] = {}
    for file in sizes:
        name = file.rpartition("/")[2]
        if name in of_name:
            raise UserError(f"{root} has two images of the name {name}, {of_name[name]} and {file}; rename one of them")
        of_name[name] = file
    return of_name


def _number(root: Path, file: str) -> int:
    folder = file.partition("/")[0]
    if folder not in OF_FOLDER:
        hint = did_you_mean(folder, OF_FOLDER, "name it as the release does, such as 'alarm_clock'")
        raise UserError(f"{root / folder} is no object of ObjectNet; {hint}")
    return OF_FOLDER[folder]


def _beside(root: Path) -> Path | None:
    """The only file of answers in the folder or beside it, or the one of all images."""
    for place in (root, root.parent):
        found = sorted(place.glob("answers*.json"))
        if (place / ALL) in found:
            return place / ALL
        if len(found) > 1:
            names = listed([path.name for path in found])
            raise UserError(f"{place} has several files of answers ({names}); name one by challenges.objectnet.answers")
        if found:
            return found[0]
    return None


def _known(answers: dict[str, int], file: Path, of_name: Mapping[str, str], root: Path) -> dict[str, int]:
    unknown = [name for name in answers if name not in of_name]
    if unknown:
        raise UserError(f"{file} names {len(unknown):,} images that are not in {root} ({listed(unknown)}); {ANSWERS}")
    return answers


def read_answers(file: Path, hint: str) -> dict[str, int]:
    """The object of each image by the file's name; `hint` says how to name another file."""
    if not file.is_file():
        raise UserError(f"{file} is not there; {hint}")
    values: Any = None
    with suppress(UserError):  # which would say to delete it
        values = read_json(file)
    if not isinstance(values, dict) or not values:
        raise UserError(f"{file} must be a JSON object with an object's number for each image; {hint}")
    wrong = [name for name, number in values.items() if type(number) is not int or not 0 <= number <= LAST]
    if wrong:
        told = listed([f"{name} is {values[name]!r}" for name in wrong])
        raise UserError(f"{file} has answers that are no number from 0 to {LAST} ({told}); {hint}")
    return values
