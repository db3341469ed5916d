"""Write what a submission needs beside its folders: LICENSE, and a README that says how to use each of them.

    python -m workflow.scripts.cover --contract containers/stoic/contract.yaml --part train=training \\
        --part predict=inference --wheels bundled --license LICENSE --output results/stoic/submission/LICENSE
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

from containers.kit.errors import UserError, reports_errors
from containers.kit.files import replacing, write_text
from workflow.scripts.slipway.contract import Contract, Image, load, names_of, takes_names


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contract", type=Path, required=True)
    takes_names(parser)
    parser.add_argument("--part", action="append", required=True, metavar="IMAGE=FOLDER", help="once for each folder")
    parser.add_argument("--wheels", choices=["bundled", "index"], default="bundled")
    parser.add_argument("--license", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True, help="the LICENSE to write; README.md goes beside it")
    args = parser.parse_args(argv)
    parts = [part.partition("=") for part in args.part]
    if wrong := [image for image, _, folder in parts if not folder]:
        raise UserError(f"--part {wrong[0]} names no folder; write --part {wrong[0]}=FOLDER")
    text = readme(load(args.contract, names_of(args.name)), {image: folder for image, _, folder in parts}, args.wheels)
    write_text(args.output.with_name("README.md"), text)
    with replacing(args.output) as partial:
        shutil.copyfile(args.license, partial)
    return 0


def readme(contract: Contract, parts: dict[str, str], wheels: str) -> str:
    network = (
        "The Python packages lie in the folders as wheels, and the build asks no network."
        if wheels == "bundled"
        else "The build fetches the Python packages, each at a pinned version, from a package index."
    )
    head = f"""# Submission

Each folder builds one image by plain `docker build`. {network}
In each: the Dockerfile, the code (containers/), the settings (settings.json), the state of the source (REVISION), the
package lists (wheels/), and short scripts. The code is under the licence in LICENSE.
"""
    return "\n".join([head, *(_part(contract.image(name), folder) for name, folder in parts.items())])


def _part(image: Image, folder: str) -> str:
    words = " ".join(mount.name.upper() for mount in image.mounts)
    ends = f" It ends with the line `{image.success_line}`." if image.success_line else ""
    debug = f"    bash {folder}/debug.sh {words}    # with the code of this folder, edited, instead of the image's\n"
    return f"""## {folder}/ becomes `{image.tag}`

    bash {folder}/build.sh                 # docker build --tag {image.tag} {folder}
    bash {folder}/test.sh {words}
    bash {folder}/export.sh                # {folder}/{image.archive}.tar.gz
{debug if image.source else ""}
test.sh runs the container under the challenge's flags; its words are folders on this machine.{ends}
"""


if __name__ == "__main__":
    raise SystemExit(main())
