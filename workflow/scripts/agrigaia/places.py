"""Where things lie in a data set's folder, as the platform has it."""

from __future__ import annotations

from pathlib import Path

from containers.agrigaia.common import pictures

NAME = "annotations.xml"
DATASETS, ID = "datasets", "1"  # the platform's local run mounts datasets/ and says DATASET_ID=1
ANNOTATIONS = Path(pictures.ANNOTATIONS) / NAME


def annotations_of(root: Path) -> Path | None:
    """Where the platform has them, or where CVAT's own export does."""
    return next((path for path in (root / ANNOTATIONS, root / NAME) if path.is_file()), None)
