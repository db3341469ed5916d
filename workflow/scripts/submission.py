"""Lay out one image's folder of the submission: all that a plain `docker build` needs, and nothing of this workflow.

    python -m workflow.scripts.submission --image train --contract containers/stoic/contract.yaml \\
        --entry containers.stoic.main --dockerfile containers/stoic/train.Dockerfile \\
        --base results/containers/base.json --wheelhouse scratch/stoic/wheels/train.json --wheels bundled \\
        --artifact --weights --settings '{"train": {"model": "resnet18"}}' --output results/stoic/submission/training

What is built and tested here is built from this very folder, so organisers get what was tested.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError, reports_errors
from containers.kit.files import hash_of, read_json, replacing_tree, sha256, write_json, write_text
from workflow.scripts.slipway import dockerfile
from workflow.scripts.slipway.contract import load, names_of, takes_names
from workflow.scripts.slipway.helpers import scripts
from workflow.scripts.slipway.revision import revision
from workflow.scripts.slipway.sources import closure
from workflow.scripts.slipway.trees import link, link_tree

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = "/opt/app/weights"  # where the Dockerfile puts weights/
ARGS = "args.json"  # of the artifact: defaults of the Dockerfile's ARGs that follow from what was trained


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", required=True, help="its name in the contract")
    parser.add_argument("--contract", type=Path, required=True)
    takes_names(parser)
    parser.add_argument(
        "--entry", nargs="+", required=True, help="modules that run in it; they ship with all that they import"
    )
    parser.add_argument("--dockerfile", type=Path, required=True)
    parser.add_argument("--base", type=Path, required=True, help="base.json")
    parser.add_argument("--wheelhouse", type=Path, required=True, help="record of the wheels, a JSON file")
    parser.add_argument("--wheels", choices=["bundled", "index"], default="bundled", help="in the folder, or fetched")
    parser.add_argument("--artifact", type=Path, nargs="*", default=[], help="folder of trained weights, or nothing")
    parser.add_argument("--leave", nargs="*", default=[], metavar="FILE", help="files of the artifact that stay out")
    parser.add_argument("--weights", type=Path, nargs="*", default=[], help="files of pretrained weights, or nothing")
    parser.add_argument(
        "--arg", action="append", default=[], metavar="NAME=VALUE", help="default of an ARG of the Dockerfile"
    )
    parser.add_argument("--settings", required=True, help="JSON that is baked into the image as settings.json")
    parser.add_argument("--output", type=Path, required=True, help="the folder")
    args = parser.parse_args(argv)
    with replacing_tree(args.output) as new:
        _fill(new, args)
        _open(new)
        house = _recorded(args.wheelhouse, "folder")
        for part in ("torch", "extra"):
            if args.wheels == "bundled":
                link_tree(house / part, new / "wheels" / part)
            else:
                link(house / part / f"{part}.txt", new / "wheels" / part / f"{part}.txt")
        if dockerfile.needs_rootfs(read_json(args.base)):
            link(_recorded(args.base, "rootfs"), new / dockerfile.ROOTFS)
    size = sum(path.stat().st_size for path in args.output.rglob("*") if path.is_file())
    print(f"{args.output}: {size / 1e6:.0f} MB")
    return 0


def _fill(new: Path, args: argparse.Namespace) -> None:
    """All but the large files that are linked."""
    text = args.dockerfile.read_text(encoding="utf-8")
    for name in closure(ROOT, *args.entry):
        if not name.startswith("containers/"):
            raise UserError(f"--entry {' '.join(args.entry)} needs {name}, and only containers/ ships; move it there")
        _copy(ROOT / name, new / name)
    settings = _settings(args.settings, args.weights)
    write_json(new / "settings.json", settings)
    state = revision(ROOT)
    write_text(new / "REVISION", f"{state}\n")
    if dockerfile.copies(text, "weights"):
        copies = [_copy(path, new / "weights" / path.name) for path in args.weights]
        sums = [f"{sha256(path)}  {path.name}\n" for path in copies]
        # Without weights the list is empty, and keeps the folder, which the Dockerfile takes, alive in archives.
        write_text(new / "weights" / "SHA256SUMS", "".join(sums))
    if dockerfile.copies(text, "artifact"):
        _artifact(args.artifact, new / "artifact", args.leave)
    wheels, base = read_json(args.wheelhouse), read_json(args.base)
    values = {
        "BASE_NAME": base["reference"],
        "BASE_DIGEST": dockerfile.digest(base),
        "REVISION": state,
        "CONFIG_HASH": hash_of(settings),
        "WEIGHTS_SHA256": _digest(new / "artifact", new / "weights"),
        "PACKAGES": " ".join([*wheels["torch"]["packages"], *wheels["extra"]["packages"]]),
        **(read_json(new / "artifact" / ARGS) if (new / "artifact" / ARGS).is_file() else {}),
        **names_of(args.arg, "--arg"),
    }
    write_text(new / "Dockerfile", dockerfile.filled(args.dockerfile, base, values))
    image = load(args.contract, names_of(args.name)).image(args.image)
    for name, script in scripts(image, network=args.wheels == "index").items():
        write_text(new / name, script)


def _settings(text: str, weights: list[Path]) -> Any:
    """The settings as the container will read them: with weights at their place in the image."""
    try:
        settings = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"--settings is not JSON: {error}") from None
    places = {str(path.resolve()): f"{WEIGHTS}/{path.name}" for path in weights}

    def moved(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: moved(one) for key, one in value.items()}
        if isinstance(value, str) and value:
            return places.get(str(Path(value).resolve()), value)
        return value

    return moved(settings)


def _artifact(given: list[Path], target: Path, leave: Sequence[str]) -> None:
    files = [path for folder in given for path in sorted(folder.rglob("*")) if path.is_file()]
    # Snakemake leaves a hidden timestamp in folders that it makes.
    files = [path for path in files if not path.name.startswith(".") and path.name not in leave]
    if not files:
        raise UserError(
            "this image ships trained weights and --artifact names none; give it the folder of the artifact"
        )
    for path in files:
        folder = next(folder for folder in given if path.is_relative_to(folder))
        _copy(path, target / path.relative_to(folder))


def _digest(*folders: Path) -> str:
    """One checksum for all weights that the image ships, empty where it ships none."""
    files = [(path.relative_to(folder).as_posix(), path) for folder in folders for path in folder.rglob("*")]
    lines = [f"{sha256(path)}  {name}\n" for name, path in sorted(files) if path.is_file() and name != "SHA256SUMS"]
    return hashlib.sha256("".join(lines).encode()).hexdigest() if lines else ""


def _recorded(record: Path, key: str) -> Path:
    """A path that a record names; records outlive a scratch disk that was cleared."""
    path = Path(read_json(record)[key])
    if not path.exists():
        raise UserError(f"{record} names {path}, which is gone; delete {record} and run again")
    return path


def _copy(source: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copyfile(source, target)
    except FileNotFoundError:
        raise UserError(f"{source} is not there; the submission folder takes it") from None
    return target


def _open(folder: Path) -> None:
    """The container's user must be able to read everything, whatever this host's umask is."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.suffix == ".sh" else 0o644)


if __name__ == "__main__":
    raise SystemExit(main())
