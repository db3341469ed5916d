"""Fetch the wheels of one image, as the lock says, so that the image builds without a network.

    python -m workflow.scripts.wheels --lock envs/lock.txt --common containers/kit/requirements.txt \\
        --extra containers/stoic/requirements-train.txt --cache scratch/containers/wheels \\
        --output scratch/stoic/wheels/train.json

The folder beside the record (here scratch/stoic/wheels/train) holds `torch/`, what every image begins with, and
`extra/`, what this one adds: in each the frozen list and its wheels. A second run finds it complete and does nothing.
Without --common the first list is empty, for an image that needs no torch.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from containers.kit.errors import reports_errors
from containers.kit.files import hash_of, read_json, replacing_tree, sha256, write_json, write_text
from workflow.scripts.slipway.metadata import PYTHON, Wheel, reach, requirements
from workflow.scripts.slipway.store import PLATFORMS, Store
from workflow.scripts.slipway.trees import link

PARTS = ("torch", "extra")


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lock", type=Path, required=True, help="the version of every package")
    parser.add_argument(
        "--common", type=Path, nargs="*", default=[], help="requirements that every image with torch begins with"
    )
    parser.add_argument("--extra", type=Path, nargs="+", required=True, help="requirements that this image adds")
    parser.add_argument(
        "--without", nargs="*", default=[], metavar="NAME", help="packages that are needed by name only and left out"
    )
    parser.add_argument("--cache", type=Path, required=True, help="folder of wheels that all images share")
    parser.add_argument("--output", type=Path, required=True, help="record of the wheelhouse, a JSON file beside it")
    args = parser.parse_args(argv)
    common, added = ([one for path in paths for one in requirements(path)] for paths in (args.common, args.extra))
    store = Store(args.cache, args.lock)
    key = hash_of([store.key, sorted(map(str, common)), sorted(map(str, added)), sorted(args.without)])
    if complete(args.output, key):
        print(f"{args.output} is complete; nothing to do")
        return 0
    wheels = store.fetch([*common, *added])
    torch = reach(wheels, common)
    extra = reach(wheels, [*common, *added], args.without) - torch
    folder = args.output.with_suffix("").resolve()
    said: dict[str, Any] = {
        "schema": 1,
        "key": key,
        "folder": str(folder),
        "python": PYTHON,
        "platforms": list(PLATFORMS),
    }
    with replacing_tree(folder) as new:
        for part, names in zip(PARTS, (torch, extra), strict=True):
            said[part] = _fill(new / part, f"{part}.txt", [wheels[name] for name in sorted(names)])
    write_json(args.output, said)
    size = sum(file["size"] for part in PARTS for file in said[part]["files"].values())
    print(f"{folder}: {len(torch)} wheels in torch, {len(extra)} in extra, {size / 1e6:.0f} MB")
    return 0


def complete(record: Path, key: str) -> bool:
    """Whether the wheelhouse was made of the same request and every file is as it was then."""
    if not record.is_file():
        return False
    said = read_json(record)
    if said.get("key") != key:
        return False
    folder = Path(said["folder"])
    return all(
        (folder / part / name).is_file() and sha256(folder / part / name) == file["sha256"]
        for part in PARTS
        for name, file in said[part]["files"].items()
    )


def _fill(folder: Path, name: str, wheels: list[Wheel]) -> dict[str, Any]:
    """Link the wheels into the folder, beside the list that pip will install from there."""
    folder.mkdir()
    for wheel in wheels:
        link(wheel.path, folder / wheel.path.name)
    write_text(folder / name, "".join(f"{wheel.pin}\n" for wheel in wheels))
    files = {path.name: {"sha256": sha256(path), "size": path.stat().st_size} for path in sorted(folder.iterdir())}
    return {"packages": [wheel.pin for wheel in wheels], "files": files}


if __name__ == "__main__":
    raise SystemExit(main())
