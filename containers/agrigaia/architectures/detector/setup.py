"""Make the platform's data set one of boxes in YOLO's form.

    DATASET_ID=1 python setup.py

/datasets/images/{train,val} link to the pictures, /datasets/labels/{train,val} have their boxes, /datasets/dataset.yaml
the names of the labels; programs of Ultralytics read the same.
"""

from __future__ import annotations

import sys
from pathlib import Path

import yolo
from annotated import get_cvat_dataset
from arrange import arrange, places
from folders import DATASETS_ROOT_PATH, create_labels

from config import finalize_config, load_config


def main() -> int:
    config = load_config()
    data = get_cvat_dataset(strict=bool(config.get("strict", False)))
    files = data.files_of("detection")
    names = data.labels_of("box")
    print(f"Learning to find {len(names)} labels: {', '.join(names)}")
    for part, chosen in arrange(data, files, config).items():
        lines = {data.names[file]: found for file, found in data.as_yolo(names, chosen).items()}

        def write(folder: Path, lines: dict[str, list[str]] = lines) -> None:
            yolo.write_labels(folder, lines)

        create_labels(part, write)
    description = DATASETS_ROOT_PATH / "dataset.yaml"
    yolo.write_data(description, DATASETS_ROOT_PATH, names)
    finalize_config(config, {**places(), "data": str(description)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
