"""A data set that was annotated with CVAT: its pictures, their parts, and its labels as COCO or YOLO have them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import coco
import yolo
from cvat_xml import DataError, Picture, read
from folders import get_dataset_path, load_dataset_filepaths
from pictures import ANNOTATIONS, link_names, match, named, odd_sizes
from split import split

FILE = "annotations.xml"


@dataclass(frozen=True)
class CvatDataset:
    label_names: tuple[str, ...]  # all that were declared, sorted
    pictures: Mapping[Path, Picture]  # those with a shape, by their files, sorted
    names: Mapping[Path, str]  # what each file is called among the links
    complaints: tuple[str, ...] = ()

    def labels_of(self, kind: str) -> tuple[str, ...]:
        """The labels that shapes of a kind have, sorted: those that a network can learn."""
        return tuple(sorted({shape.label for picture in self.pictures.values() for shape in picture.of(kind)}))

    def kind_of(self, dataset_type: str) -> str:
        """What a data set of this type is made of: a classifier learns boxes, or tags where nothing has a box."""
        if dataset_type == "classification" and not self.labels_of("box"):
            return "tags"
        return dataset_type

    def files_of(self, dataset_type: str) -> list[Path]:
        """The files that have a shape of what the type is made of."""
        wanted = self.kind_of(dataset_type)
        if wanted not in coco.WANTED:
            raise DataError(f"'{wanted}' is no type of a data set; choose one of {', '.join(coco.WANTED)}")
        files = [file for file, picture in self.pictures.items() if picture.of(coco.WANTED[wanted])]
        if not files:
            raise DataError(f"no picture has a {coco.WANTED[wanted]}; draw some in CVAT, or learn something else")
        return files

    def split(self, files: Sequence[Path], config: Mapping[str, Any]) -> tuple[list[Path], list[Path]]:
        """Files to learn from and files to be judged by, in the percentages of the configuration."""
        labels = [[shape.label for shape in self.pictures[file].shapes] for file in files]
        parts: tuple[list[Path], list[Path]] = split(files, labels, config)
        return parts

    def as_coco(
        self, label_names: Sequence[str], files: Sequence[Path], dataset_type: str = "segmentation"
    ) -> dict[str, Any]:
        """Categories, images and annotations; files without a shape of the wanted kind are left out."""
        pictures = [(self.names[file], self.pictures[file]) for file in files if file in self.pictures]
        content: dict[str, Any] = coco.as_coco(label_names, pictures, self.kind_of(dataset_type))
        return content

    def as_yolo(self, label_names: Sequence[str], files: Sequence[Path]) -> dict[Path, list[str]]:
        """The lines of each file's boxes; files without boxes are left out."""
        found = {file: yolo.lines(label_names, self.pictures[file]) for file in files if file in self.pictures}
        return {file: lines for file, lines in found.items() if lines}


def get_cvat_dataset(strict: bool = False) -> CvatDataset:
    """The data set that DATASET_ID names. What is wrong with single pictures or shapes is told, and they are left out;
    `strict` makes the first such thing an error, and a picture without annotations is one."""
    root = get_dataset_path()
    files = {file.relative_to(root).as_posix(): file for file in load_dataset_filepaths()}
    annotations = read(_annotations(root))
    complaints = list(annotations.complaints)
    matched, missing = match([picture.name for picture in annotations.pictures], list(files))
    complaints += missing
    pictures = {files[matched[one.name]]: one for one in annotations.pictures if one.name in matched}
    odd = odd_sizes({file: (one.width, one.height) for file, one in pictures.items()})
    complaints += odd.values()
    bare = [str(file) for file in files.values() if file not in pictures or not pictures[file].shapes]
    complaints += [f"{file} has no annotations; it is left out" for file in bare]
    if strict and complaints:
        raise DataError(complaints[0])
    for line in named(complaints):
        print(f"warning: {line}", file=sys.stderr)
    used = {file: one for file, one in sorted(pictures.items()) if one.shapes and file not in odd}
    if not used:
        raise DataError(f"{root} has no picture with annotations that can be used; the warnings say why")
    links = link_names(list(files))
    return CvatDataset(annotations.labels, used, {file: links[name] for name, file in files.items()}, tuple(complaints))


def _annotations(root: Path) -> Path:
    """Where the platform puts them, or where CVAT's own export has them."""
    places = (root / ANNOTATIONS / FILE, root / FILE)
    found = next((path for path in places if path.is_file()), None)
    if found is None:
        raise DataError(f"{places[0]} is not there; export from CVAT as 'CVAT for images 1.1'")
    if not found.resolve().is_relative_to(root.resolve()):
        raise DataError(f"{found} is a link out of the data set; put the file itself there")
    return found
