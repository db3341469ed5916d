"""Run the template's setup.py and train.py on this host, without a container, and keep what they made.

    python -m workflow.scripts.agrigaia.train_here --template results/agrigaia/template \\
        --manifest scratch/agrigaia/raw/manifest.json --work scratch/agrigaia/work --threads 8 \\
        --output results/agrigaia/artifact

Stopped or killed, it goes on from the last epoch when it is run again with the same template and data.
"""

from __future__ import annotations

import argparse
import platform
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from containers.agrigaia.suffixes import ONNX
from containers.kit.errors import UserError, reports_errors
from containers.kit.files import read_json, replacing_tree
from containers.kit.versions import installed
from workflow.scripts.agrigaia import trained
from workflow.scripts.agrigaia.here import SETUP, TRAIN, Workplace, prepared, run
from workflow.scripts.agrigaia.measures import HERE, groups
from workflow.scripts.agrigaia.score import card, notes_on, read, told, write_card
from workflow.scripts.agrigaia.trained import HISTORY, SCORES, Trained
from workflow.scripts.slipway.revision import revision
from workflow.scripts.slipway.signals import raised

ROOT = Path(__file__).parents[3]
PRESETS, CUSTOM, CONFIG, OUTPUT = "presets.json", "custom.json", "train_config.json", "output-dir"
PACKAGES = ("torch", "onnx", "onnxruntime", "numpy", "pillow", "scikit-learn")
NOTE = "Trained by the template's setup.py and train.py on this host; the container's own training may differ a little."

Json = Mapping[str, Any]


def model_of(template: Path) -> PurePosixPath:
    """Where the model lies in the folder that stands in for /train."""
    path = PurePosixPath(str(read(template / CUSTOM, "model_filepath")["model_filepath"]))
    output = PurePosixPath(str(read(template / PRESETS, OUTPUT)[OUTPUT]))
    if not path.is_relative_to(output) or ".." in path.parts or path == output:
        raise UserError(f"{template / CUSTOM} has model_filepath {path}, which is not in {PRESETS}'s {OUTPUT} {output}")
    return path.relative_to(output)


def train(place: Workplace, threads: int) -> None:
    """Both programs, one after the other; ends with their error where one fails."""
    try:
        with raised(), place.log.open("wb") as log:
            run(place, SETUP, "setup.py", threads, log)
            config = read(place.space / CONFIG)
            if config.get(OUTPUT) != str(place.train):
                raise UserError(
                    f"setup.py leaves {OUTPUT} at {config.get(OUTPUT)}; let it take the value of AGRIGAIA_TRAIN, as "
                    "arrange.places does, or train in the container alone"
                )
            run(place, TRAIN, "train.py", threads, log)
    except KeyboardInterrupt:
        raise UserError("the training was stopped before its end; run it again, and it goes on from there") from None


def models(place: Workplace, name: PurePosixPath) -> list[Path]:
    """The model as it was saved and in ONNX, as far as they are there."""
    path = place.train / name
    found = [one for one in dict.fromkeys((path, path.with_suffix(ONNX))) if one.is_file()]
    if not found:
        raise UserError(f"train.py ended well and left no {name} in {OUTPUT}; let it write what {CUSTOM} names")
    return found


def described(found: Trained, manifest: Json, config: Json) -> dict[str, Any]:
    """The model card."""
    options = {key: value for key, value in config.items() if not key.endswith("-dir") and key != "data"}
    made = card(groups(found, HERE), [*notes_on(found, manifest), NOTE], found, [])
    return {
        **made,
        "revision": revision(ROOT),
        "data": {"cases": len(manifest["pictures"]), "fingerprint": manifest["fingerprint"]},
        "config": {"train": options},
        "versions": {"python": platform.python_version(), **installed(PACKAGES)},
    }


def keep(output: Path, place: Workplace, files: Sequence[Path], content: Json) -> None:
    wanted = [*files, *(place.train / name for name in (HISTORY, SCORES) if (place.train / name).is_file()), place.log]
    try:
        with replacing_tree(output) as folder:
            for path in wanted:
                shutil.copyfile(path, folder / path.name)
            write_card(folder / "card.json", content)
    except OSError as error:
        raise UserError(f"--output {output} cannot be written ({error.strerror}); make room there") from None


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--template", type=Path, required=True, help="the folder that template wrote")
    parser.add_argument("--manifest", type=Path, required=True, help="what fetch wrote")
    parser.add_argument("--work", type=Path, required=True, help="folder to work in, with what to go on from")
    parser.add_argument("--threads", type=int, default=1, help="for torch and numpy")
    parser.add_argument("--output", type=Path, required=True, help="folder to replace with the model and its card")
    args = parser.parse_args(argv)
    if args.threads < 1:
        raise UserError(f"--threads {args.threads} is none; give it 1 or more")
    manifest = read(args.manifest, "source", "root", "pictures", "fingerprint")
    name = model_of(args.template)
    try:
        place = prepared(args.template, Path(manifest["root"]), args.work)
    except OSError as error:
        raise UserError(f"--work {args.work} cannot be written ({error.strerror}); make room there") from None
    train(place, args.threads)
    files, found = models(place, name), trained.read(place.train)
    content = described(found, manifest, read_json(place.space / CONFIG))
    keep(args.output, place, files, content)
    if content["metrics"]:
        print(told(content["metrics"]))
    print(f"{args.output}: {' and '.join(path.name for path in files)}, trained on this host")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
