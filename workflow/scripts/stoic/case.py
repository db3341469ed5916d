"""Lay out one case as the inference container finds it on the platform: /input/images/ct/<uuid>.mha.

Example: python -m workflow.scripts.stoic.case --manifest scratch/stoic/raw/manifest.json \\
             --folder scratch/stoic/case --output scratch/stoic/raw/case.json
"""

from __future__ import annotations

import argparse
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path

from containers.kit.errors import UserError, reports_errors
from containers.kit.files import read_json, replacing, write_json


def lay_out(manifest: Path, folder: Path) -> Path:
    """Copy the first severe case of the data into `folder`, under a name that tells nothing, as on the platform."""
    content = read_json(manifest)
    case = max(content["cases"], key=lambda case: (case["severe"], case["covid"], -case["id"]))
    image = Path(content["root"]) / case["file"]
    name = uuid.uuid5(uuid.NAMESPACE_OID, f"{content['fingerprint']}/{case['id']}")
    target = folder / "images" / "ct" / f"{name}{image.suffix}"
    if target.parent.is_dir():
        shutil.rmtree(target.parent)  # the contract is one image: none of an earlier run may stay
    try:
        with replacing(target) as partial:
            shutil.copyfile(image, partial)
    except OSError as error:
        raise UserError(f"{image} cannot be copied to {target} ({error.strerror}); fetch the data again") from None
    return target


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", type=Path, required=True, help="manifest of the data")
    parser.add_argument("--folder", type=Path, required=True, help="folder that becomes /input")
    parser.add_argument("--output", type=Path, required=True, help="manifest whose root is that folder")
    arguments = parser.parse_args(argv)
    image = lay_out(arguments.manifest, arguments.folder)
    write_json(arguments.output, {"schema": 1, "root": str(arguments.folder.resolve()), "image": image.name})
    print(f"{image} is the case that the inference container is tried on")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
