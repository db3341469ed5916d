"""Pack a template as the platform takes it: a ZIP, checked by the platform's rules before it gets its name.

    python -m workflow.scripts.agrigaia.package --template results/agrigaia/template --architecture efficientnet \\
        --package '{"provider": "Slipway"}' --output results/agrigaia/package/train-container-publish.zip \\
        --manifest results/agrigaia/package/manifest.json

Equal templates give equal bytes. The form's values and the export to ONNX are not in it: the platform asks for them.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from containers.kit.errors import UserError, reports_errors
from containers.kit.files import replacing, sha256, write_json
from containers.kit.settings import section
from workflow.scripts.agrigaia import architectures, platform, zips
from workflow.scripts.agrigaia.architectures import AGRIGAIA, CUSTOM, EXPORT, NAMES, PRESETS, SCHEMA
from workflow.scripts.agrigaia.form import packaged
from workflow.scripts.agrigaia.template import CONFIG, KEPT

TOP = "train-container-publish"
ROOT = ("config.py", "config_to_args.py", "cvat_dataset.py", "dataset.py", "docker-entrypoint.sh", "mount-s3.sh")
FORM = (SCHEMA, CUSTOM, PRESETS)  # in config/
PEOPLE = (".dockerignore", "README.md", "build.sh", "run.sh", NAMES)
LITTER = ("__pycache__", ".snakemake_timestamp")


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--template", type=Path, required=True, help="the folder")
    parser.add_argument("--architecture", required=True, help="the one that the template is of: a name, or a folder")
    parser.add_argument("--package", default="{}", help="the section agrigaia.package as JSON")
    parser.add_argument("--output", type=Path, required=True, help="the ZIP")
    parser.add_argument("--manifest", type=Path, required=True, help="what is in it, as JSON")
    args = parser.parse_args(argv)
    named = packaged(section(args.package, "--package"), architectures.read(args.architecture))
    files = placed(args.template, named.path)
    try:
        with replacing(args.output) as partial:
            zips.write(partial, files)
            platform.examine(partial, args.output)
        content = {
            "schema": 1,
            "file": args.output.name,
            "path": named.path,
            "sha256": sha256(args.output),
            "size": args.output.stat().st_size,
            "entries": [{"name": name, "size": path.stat().st_size} for name, path in sorted(files.items())],
        }
        write_json(args.manifest, content)
    except OSError as error:
        raise UserError(f"--output {args.output} cannot be written ({error.strerror}); make room there") from None
    print(f"{args.output}: {named.path}, {len(files)} files, {content['size'] / 1e3:.0f} kB; the platform takes it")
    return 0


def placed(template: Path, path: str) -> dict[str, Path]:
    """The template's files by their places in the package."""
    if not template.is_dir():
        raise UserError(f"--template {template} is not there; make it with workflow.scripts.agrigaia.template")
    left_out = {CONFIG, EXPORT, *PEOPLE, *LITTER, *KEPT, *(one.name for one in (AGRIGAIA / "export").iterdir())}
    found = {}
    for one in sorted(template.iterdir()):
        if one.name in left_out:
            continue
        if not one.is_file() or one.is_symlink():
            raise UserError(f"--template {template} holds {one.name}, which is no plain file; take it out")
        folder = "" if one.name in ROOT else f"{path}/config/" if one.name in FORM else f"{path}/docker/"
        found[f"{TOP}/{folder}{one.name}"] = one
    return found


if __name__ == "__main__":
    raise SystemExit(main())
