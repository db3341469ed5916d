"""The small shell scripts of a submission folder, written from the contract: build.sh, test.sh, export.sh, debug.sh."""

from __future__ import annotations

import shlex
from dataclasses import replace

from workflow.scripts.slipway.contract import Image

HEAD = "#!/usr/bin/env bash\n"


def scripts(image: Image, network: bool) -> dict[str, str]:
    """File names and texts; `network` says whether the build asks a package index."""
    quiet = "" if network else " --network none"
    build = f"""# Build {image.tag}{"" if network else "; it needs no network"}.
set -euo pipefail
docker build{quiet} --tag {image.tag} "$(dirname "$0")"
"""
    export = f"""# Write {image.archive}.tar.gz, which is uploaded, to this folder.
set -euo pipefail
cd "$(dirname "$0")"
docker save {image.tag} | gzip -c > {image.archive}.tar.gz
"""
    found = {"build.sh": build, "test.sh": _run(image, "test.sh"), "export.sh": export}
    if image.source:
        found["debug.sh"] = _run(image, "debug.sh", image.source)
    return {name: HEAD + text for name, text in found.items()}


def _run(image: Image, script: str, source: str = "") -> str:
    """Run the image under the organisers' flags; what this host lacks (a GPU, CPUs) is left out, and said.

    With `source` this folder lies over the one of that name in the image, so that an edit is tried without a build.
    """
    flags = image.usual
    usage = f"./{script} " + " ".join(mount.name.upper() for mount in image.mounts)
    words = replace(flags, gpus="", runtime="", cpus=0).words()
    how = "with the code of this folder instead of the image's" if source else "as the organisers will"
    lines = [
        f"# Run {image.tag} {how}; each word is a folder; empty ones take what it writes.",
        "#",
        f"#   {usage}",
        "set -euo pipefail",
        f"[ $# -eq {len(image.mounts)} ] || {{ echo 'usage: {usage}' >&2; exit 2; }}",
    ]
    lines += [f'{mount.name}=$(realpath "${number}")' for number, mount in enumerate(image.mounts, start=1)]
    for mount in image.mounts:
        if mount.emptied:
            complaint = f"the {mount.name} folder must be empty"
            lines.append(f'[ -z "$(ls -A "${mount.name}")" ] || {{ echo "${mount.name}: {complaint}" >&2; exit 2; }}')
            if mount.opened:
                lines.append(f'chmod 777 "${mount.name}"')
    lines += [f"name={image.tag.replace('/', '-').replace(':', '-')}-test-$$", "host=()"]
    if flags.wants_gpus:
        gpus = shlex.join(type(flags)(gpus=flags.gpus, runtime=flags.runtime).words())
        lines += [
            f"if command -v nvidia-smi >/dev/null; then host+=({gpus})",
            f"else echo 'no GPU here, so without {gpus}' >&2; fi",
        ]
    if flags.cpus:
        cpus = f"{flags.cpus:g}"
        lines += [
            f'if [ "$(nproc)" -ge {cpus} ]; then host+=(--cpus {cpus})',
            f"else echo 'fewer than {cpus} CPUs here, so with all of them' >&2; fi",
        ]
    sources = {m.name: f"$name-{m.name}" if m.kind == "volume" else f"${m.name}" for m in image.mounts}
    volumes = [mount for mount in image.mounts if mount.kind == "volume"]
    removals = ['docker rm --force --volumes "$name"', *(f'docker volume rm "{sources[m.name]}"' for m in volumes)]
    lines.append(f"trap '{{ {'; '.join(removals)}; }} >/dev/null 2>&1 || true' EXIT")
    run = [f'docker run --name "$name" ${{host[@]+"${{host[@]}}"}} {shlex.join(words)}']
    run += [f'--volume "{sources[m.name]}:{m.target}{":ro" if m.mode == "ro" else ""}"' for m in image.mounts]
    if source:
        run.append(f'--volume "$(realpath "$(dirname "$0")"):{source}:ro"')
    run.append(shlex.join([image.tag, *image.command]))
    lines.append(" \\\n    ".join(run))
    lines += [f'docker cp "$name:{mount.target.rstrip("/")}/." "${mount.name}/"' for mount in volumes]
    return "\n".join(lines) + "\n"
