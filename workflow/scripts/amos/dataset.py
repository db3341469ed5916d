"""A folder in the layout of the organisers' release, of after the challenge or of its time.

<root>/dataset.json                  after it; at its time task1_dataset.json and task2_dataset.json
<root>/imagesTr/amos_XXXX.nii.gz     and labelsTr; imagesVa, labelsVa; imagesTs, and labelsTs where somebody has them
"""

from __future__ import annotations

import difflib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from containers.amos.organs import LABELS
from containers.kit.errors import UserError, listed

Modality = Literal["CT", "MR"]
Part = Literal["training", "validation", "test"]
PARTS: tuple[Part, ...] = ("training", "validation", "test")
IMAGES = ("imagesTr", "imagesVa", "imagesTs")
RELEASE = "amos22"
FIRST_MR = 500  # the organisers number CT below this and MR from it on
NAME = re.compile(r"amos_(\d{4})\.nii\.gz")


@dataclass(frozen=True)
class Case:
    """One image of the release; paths are relative to its root."""

    id: str
    modality: Modality
    part: Part
    image: str
    label: str | None


@dataclass(frozen=True)
class Release:
    root: Path
    file: str  # that describes it
    licence: str
    cases: tuple[Case, ...]
    notes: tuple[str, ...]


def root_of(folder: Path, task: int) -> Path:
    """The folder with the description: this one, or amos22 in it, since the archive unpacks to that."""
    for root in (folder, folder / RELEASE):
        if any((root / name).is_file() for name in _descriptions(task)):
            return root.resolve()
    names = " or ".join(_descriptions(task))
    raise UserError(f"{folder} has no {names}, nor has {RELEASE} in it; amos.source must name the unpacked {RELEASE}")


def read(root: Path, task: int) -> Release:
    """What the description lists of this task, checked against the files that are there."""
    path = next(root / name for name in _descriptions(task) if (root / name).is_file())
    content = _object(path)
    notes = list(_checked_labels(path, content.get("labels")))
    entries = {part: content.get(part, None if part == "training" else []) for part in PARTS}
    cases = [case for part in PARTS for case in _cases(path, part, entries[part])]
    counts = Counter(case.id for case in cases)
    twice = [case for case, count in counts.items() if count > 1]
    if twice:
        raise UserError(f"{path} lists {listed(twice)} more than once; keep one entry for each case")
    notes += _unlisted(root, path.name, cases)
    chosen = tuple(sorted((case for case in cases if task == 2 or case.modality == "CT"), key=lambda case: case.id))
    problems = [problem for case in chosen for problem in _bad_files(root, case)]
    if problems:
        raise UserError(f"{root} is not complete: {listed(problems, '; ')}; unpack the archive again")
    if not any(case.part == "training" for case in chosen):
        raise UserError(f"{path} lists no training case of task {task}; {'CT is' if task == 1 else 'some are'} needed")
    return Release(root, path.name, str(content.get("licence") or "not stated"), chosen, tuple(notes))


def _descriptions(task: int) -> tuple[str, str]:
    return "dataset.json", f"task{task}_dataset.json"


def _object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); it should describe the data") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UserError(f"{path} is not readable as JSON ({error}); unpack the archive again") from None
    if not isinstance(content, dict):
        raise UserError(f"{path} must hold a JSON object; unpack the archive again")
    return content


def _checked_labels(path: Path, labels: Any) -> Iterator[str]:
    """Refuse another numbering; another spelling is told, since only the numbers count."""
    if not isinstance(labels, Mapping) or set(labels) != {str(number) for number in LABELS.values()}:
        raise UserError(f"{path} must have 'labels' with the keys 0 to {max(LABELS.values())}, as AMOS22 has")
    names = {number: name for name, number in LABELS.items()}
    for key, told in labels.items():
        name, number = str(told).strip().lower(), int(key)
        meant = difflib.get_close_matches(name, LABELS, n=1, cutoff=0.75)
        if meant and LABELS[meant[0]] != number:
            raise UserError(
                f"{path} has '{told}' as number {number}, and AMOS22 as {LABELS[meant[0]]}; renumber the label maps"
            )
        if name != names[number]:
            yield f"{path.name} calls organ {number} '{told}', and the organisers call it '{names[number]}'"


def _cases(path: Path, part: Part, entries: Any) -> Iterator[Case]:
    """Entries are objects; where there is no label, at the time of the challenge, plain names of images."""
    if not isinstance(entries, list):
        raise UserError(f"{path} must have a list '{part}'; unpack the archive again")
    for entry in entries:
        fields = entry if isinstance(entry, Mapping) else {"image": entry}
        image, label = fields.get("image"), fields.get("label")
        if not isinstance(image, str) or not isinstance(label, str | None):
            raise UserError(f"{path} has {json.dumps(entry)} in '{part}'; an entry needs 'image' with a file's name")
        image, label = _relative(path, image), _relative(path, label) if label else None
        yield _case(path, part, image, label)


def _case(path: Path, part: Part, image: str, label: str | None) -> Case:
    place = PurePosixPath(image)
    number = NAME.fullmatch(place.name)
    if not number:
        raise UserError(
            f"{path} lists {image}, whose name tells no modality; an image is named amos_XXXX.nii.gz, "
            f"with a number below {FIRST_MR} for CT and from it on for MR"
        )
    if part == "test" and place.parent.name == "imagesVa":
        part = "validation"  # at the time of the challenge these were what one predicted
    found = place.parent.parent / place.parent.name.replace("images", "labels") / place.name
    if part == "training" and not label:
        raise UserError(f"{path} has no 'label' for {image}; every training case needs one")
    # Later than the description, or withheld although it is described: what is there counts.
    if part != "training" and (label is None or part == "test"):
        label = str(found) if (path.parent / found).is_file() else None
    modality: Modality = "CT" if int(number[1]) < FIRST_MR else "MR"
    return Case(place.name.removesuffix(".nii.gz"), modality, part, image, label)


def _relative(path: Path, name: str) -> str:
    place = PurePosixPath(name)
    if place.is_absolute() or ".." in place.parts:
        raise UserError(f"{path} lists {name}; paths must be relative to {path.parent} and stay in it")
    return str(place)


def _bad_files(root: Path, case: Case) -> Iterator[str]:
    for name in filter(None, (case.image, case.label)):
        try:
            with (root / name).open("rb") as stream:
                begin = stream.read(2)
        except FileNotFoundError:
            yield f"{name} is missing"
        except OSError as error:
            yield f"{name} cannot be read ({error.strerror})"
        else:
            if begin != b"\x1f\x8b":
                yield f"{name} is {'not gzip' if begin else 'empty'}"


def _unlisted(root: Path, description: str, cases: Sequence[Case]) -> Iterator[str]:
    known = {case.image for case in cases}
    there = (path for name in IMAGES if (root / name).is_dir() for path in sorted((root / name).iterdir()))
    extra = [f"{path.parent.name}/{path.name}" for path in there if not path.name.startswith((".", "__MACOSX"))]
    extra = [name for name in extra if name not in known]
    if extra:
        yield f"{len(extra)} files below {root} are not in {description} and stay unused: {listed(extra)}"
