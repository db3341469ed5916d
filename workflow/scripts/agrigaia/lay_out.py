"""Lay a data set out as the platform mounts it: <folder>/datasets/1/ with pictures and annotations/annotations.xml.

    python -m workflow.scripts.agrigaia.lay_out --manifest scratch/agrigaia/raw/manifest.json \\
        --folder scratch/agrigaia/minio --output scratch/agrigaia/raw/minio.json

Files are linked, not copied, where both folders lie on one disk. Data that lie so already are used in place.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError, reports_errors
from containers.kit.files import read_json, replacing_tree, write_json
from workflow.scripts.agrigaia.places import ANNOTATIONS, DATASETS, ID
from workflow.scripts.slipway.trees import link

MARK = ".slipway.json"  # in a folder that was laid out here, which may be replaced


@dataclass(frozen=True)
class Data:
    source: str
    root: Path
    annotations: Path  # relative, as all names
    pictures: tuple[Path, ...]
    fingerprint: str

    @property
    def names(self) -> dict[Path, Path]:
        """What each file of the data set is called on the platform."""
        return {**{path: path for path in self.pictures}, self.annotations: ANNOTATIONS}


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", type=Path, required=True, help="what fetch wrote")
    parser.add_argument("--folder", type=Path, required=True, help="folder that is made, and mounted as /minio")
    parser.add_argument("--output", type=Path, required=True, help="where the data lie then, as JSON")
    args = parser.parse_args(argv)
    data = read(args.manifest)
    refuse_others(args.folder)
    try:
        if lies_so(data):
            root, how = data.root.parents[1], "used in place"
            if args.folder.exists():  # links of an earlier run would keep its data on the disk
                shutil.rmtree(args.folder)
        else:
            root, how = args.folder.resolve(), "linked"
            fill(args.folder, data)
        record = {"schema": 1, "source": data.source, "root": str(root), "dataset_id": ID}
        write_json(args.output, {**record, "fingerprint": data.fingerprint, "pictures": len(data.pictures)})
    except OSError as error:
        raise UserError(f"--folder {args.folder} cannot be made ({error.strerror}); make room there") from None
    print(f"{root / DATASETS / ID}: {len(data.pictures):,} pictures, {how}")
    return 0


def read(manifest: Path) -> Data:
    """What the manifest names; each file is there, and lies in the data set, whatever links say."""
    content = read_json(manifest)
    try:
        names = [*(entry["file"] for entry in content["pictures"]), *content["unannotated"]]
        data = Data(
            source=content["source"],
            root=Path(content["root"]).resolve(),
            annotations=Path(content["annotations"]),
            pictures=tuple(sorted(map(Path, names))),
            fingerprint=content["fingerprint"],
        )
    except (KeyError, TypeError):
        raise UserError(f"{manifest} is no manifest of Agri-Gaia; run the rule that fetches") from None
    for name in data.names:
        path = data.root / name
        if not path.is_file():
            raise UserError(f"{path} is gone; run the rule that fetches again")
        if not path.resolve().is_relative_to(data.root):
            raise UserError(f"{path} is a link out of the data set; put the file itself there")
    return data


def lies_so(data: Data) -> bool:
    """Whether it can be mounted where it lies: by the platform's names, without links, with nothing else beside it."""
    if data.root.parts[-2:] != (DATASETS, ID) or any(name != place for name, place in data.names.items()):
        return False
    for folder in (data.root, data.root.parent):
        if [path.name for path in folder.parent.iterdir()] != [folder.name]:
            return False
    return all((data.root / name).resolve() == data.root / name for name in data.names)


def refuse_others(folder: Path) -> None:
    """A folder that is replaced is one that was made here."""
    there = list(folder.iterdir()) if folder.is_dir() else [folder] if folder.exists() else []
    if there and not (folder / MARK).is_file():
        raise UserError(f"--folder {folder} holds {there[0].name}, which is not of its making; name another folder")


def fill(folder: Path, data: Data) -> None:
    with replacing_tree(folder) as new:
        target = new / DATASETS / ID
        for name, place in data.names.items():
            link((data.root / name).resolve(), target / place)
        mark: Mapping[str, Any] = {"made by": "workflow.scripts.agrigaia.lay_out", "of": str(data.root)}
        write_json(new / MARK, mark)
        for path in (new, *(path for path in new.rglob("*") if path.is_dir())):
            path.chmod(0o755)


if __name__ == "__main__":
    raise SystemExit(main())
