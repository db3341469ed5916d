"""Write the template: one flat folder with all that a train container is made of, to build and to run by hand.

    python -m workflow.scripts.agrigaia.template --architecture efficientnet --train '{"epochs": 5}' --onnx true \\
        --package '{"provider": "Slipway"}' --output results/agrigaia/template

`--architecture` is one of Slipway's by its name, or a folder with one of your own.
"""

from __future__ import annotations

import argparse
import copy
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError, reports_errors
from containers.kit.files import hash_of, replacing_tree
from containers.kit.settings import section
from workflow.scripts.agrigaia import by_hand
from workflow.scripts.agrigaia.architectures import EXPORT, NAMES, ROOT
from workflow.scripts.agrigaia.form import Chosen, chosen
from workflow.scripts.base import PUBLIC
from workflow.scripts.slipway import dockerfile
from workflow.scripts.slipway.revision import revision

DOCKERFILE, CONFIG, REQUIREMENTS = "Dockerfile", "train_config.json", "requirements.txt"
KEPT = ("minio", "train", "datasets")  # what runs by hand leave in the folder, and nobody wants to lose


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architecture", required=True, help="its name, or a folder of your own")
    parser.add_argument("--train", default="{}", help="the section agrigaia.train as JSON")
    parser.add_argument("--onnx", choices=["true", "false"], default="true", help="export the model to ONNX")
    parser.add_argument("--package", default="{}", help="the section agrigaia.package as JSON")
    parser.add_argument("--output", type=Path, required=True, help="the folder")
    args = parser.parse_args(argv)
    choice = chosen(args.architecture, section(args.train, "--train"), section(args.package, "--package"))
    if args.onnx == "true" and not choice.architecture.export:
        raise UserError(
            f"{choice.architecture.folder / EXPORT} is empty, so the model has no form in ONNX; fill it in, or set "
            "challenges.agrigaia.onnx to false"
        )
    refuse_others(args.output)
    try:
        with replacing_tree(args.output) as new:
            write(new, choice, args.onnx == "true")
    except OSError as error:
        raise UserError(f"--output {args.output} cannot be written ({error.strerror}); make room there") from None
    print(f"{args.output}: {choice.package.path} in {len(list(args.output.iterdir()))} files, image {choice.tag}")
    return 0


def refuse_others(output: Path) -> None:
    """The folder is replaced, so it must be a template, without what was trained in it."""
    if not output.exists():
        return
    there = sorted(path.name for path in output.iterdir()) if output.is_dir() else [output.name]
    if there and NAMES not in there:
        raise UserError(f"--output {output} is there and no template; name another folder")
    kept = [name for name in there if name in KEPT]
    if kept:
        raise UserError(f"--output {output} holds {kept[0]}/, which would be lost; move it, and work in a copy")


def write(folder: Path, choice: Chosen, onnx: bool) -> None:
    """All files, readable by whoever builds."""
    for name, source in choice.architecture.files.items():
        shutil.copyfile(source, folder / name)
    export = export_form(choice) if onnx else {}
    package = choice.package
    values = {"provider": package.provider, "category": package.category, "architecture": package.architecture}
    made = {
        CONFIG: _text(choice.train),
        EXPORT: _text(export),
        NAMES: _text(values),
        DOCKERFILE: _dockerfile(choice, export, folder / REQUIREMENTS),
    }
    for name, text in {**made, **by_hand.texts(choice)}.items():
        if name in choice.architecture.files and name not in (EXPORT, DOCKERFILE):
            raise UserError(f"{choice.architecture.files[name]} has the name of a file that is made; rename it")
        (folder / name).write_text(text, encoding="utf-8")
    for path in folder.iterdir():
        path.chmod(0o755 if path.suffix == ".sh" else 0o644)
    folder.chmod(0o755)


def export_form(choice: Chosen) -> dict[str, Any]:
    """The model's form in ONNX; sides that are the form's usual size of pictures follow the one that was chosen."""
    usual, size = choice.architecture.schema["properties"]["img-size"]["default"], choice.train["img-size"]
    form = copy.deepcopy(dict(choice.architecture.export))
    for shape in form.get("input_shapes", []):
        if shape[2:] == [usual, usual]:
            shape[2:] = [size, size]
    return form


def _dockerfile(choice: Chosen, export: Mapping[str, Any], requirements: Path) -> str:
    """The base stays the public one, so that the platform builds it as it is."""
    lines = [line.partition("#")[0].strip() for line in requirements.read_text(encoding="utf-8").splitlines()]
    values = {
        "REVISION": revision(ROOT),
        "CONFIG_HASH": hash_of([dict(choice.train), dict(export)]),
        "WEIGHTS_SHA256": "",
        "PACKAGES": " ".join(line for line in lines if line),
    }
    path = choice.architecture.files[DOCKERFILE]
    return dockerfile.filled(path, {"kind": "public", "reference": PUBLIC}, values)


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=4, ensure_ascii=False, allow_nan=False) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
