"""Make the platform's data set one of labelled pieces of pictures: boxes, or whole pictures by their tags.

    DATASET_ID=1 python setup.py

/datasets/images/{train,val} link to the pictures, /datasets/labels/{train,val}/labels.json say what is on them (COCO).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from annotated import get_cvat_dataset
from arrange import arrange, places
from cvat_xml import DataError
from folders import create_labels

from config import finalize_config, load_config

KINDS = {"auto": "classification", "boxes": "classification", "tags": "tags"}
SHAPES = {"box": "boxes", "tag": "tags"}


def main() -> int:
    config = load_config()
    wanted = config.get("learn-from", "auto")
    if wanted not in KINDS:
        raise DataError(f"train_config.json: learn-from is {wanted!r}; choose one of {', '.join(KINDS)}")
    data = get_cvat_dataset(strict=bool(config.get("strict", False)))
    if wanted == "boxes" and not data.labels_of("box"):
        raise DataError("no picture has a box; draw some in CVAT, or set learn-from to tags")
    kind = data.kind_of(KINDS[wanted])
    shape = "tag" if kind == "tags" else "box"
    names = data.labels_of(shape)
    files = data.files_of(kind)
    if kind == "tags":  # a classifier gives one answer, which a picture with two tags does not have
        several = [file for file in files if len({tag.label for tag in data.pictures[file].of("tag")}) > 1]
        for file in several:
            print(f"warning: {file} has several tags; it is left out", file=sys.stderr)
        files = [file for file in files if file not in several]
        names = tuple(sorted({tag.label for file in files for tag in data.pictures[file].of("tag")}))
    if len(names) < 2:
        found = f"only the label {names[0]}" if names else "no labels"
        raise DataError(f"the data set has {found} to learn from {SHAPES[shape]}; a classifier needs two")
    print(f"Learning to tell {len(names)} labels apart by their {SHAPES[shape]}: {', '.join(names)}")
    for part, chosen in arrange(data, files, config).items():
        content = json.dumps(data.as_coco(names, chosen, kind))

        def write(folder: Path, content: str = content) -> None:
            (folder / "labels.json").write_text(content, encoding="utf-8")

        create_labels(part, write)
    finalize_config(config, places())
    return 0


if __name__ == "__main__":
    sys.exit(main())
