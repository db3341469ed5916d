"""A template's programs as processes of this host: where they work, how they are run, and how they end."""

from __future__ import annotations

import codecs
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from containers.kit.cpus import POOLS
from containers.kit.errors import WORDS, UserError
from containers.kit.files import hash_of, replacing_tree, sha256
from workflow.scripts.agrigaia.places import ID
from workflow.scripts.slipway.children import begun, killed_after

GRACE = 10.0  # seconds in which a program may end by itself
CHUNK = 1 << 16
LEARNT_FROM = (".py", ".json", ".txt", ".env")  # the rest is for building, packing and reading
APART = ("export_config.json", "custom.json", "architecture.json")  # they change what is made of a training, and not it
# As docker-entrypoint.sh does it, but for the bucket: .env is bash, and its values go to the programs.
PREPARED = 'if [[ -s .env ]]; then set -a; source <(tr -d "\\r" <.env) || exit; set +a; fi; export "$@"; '
SETUP = "exec python setup.py"
TRAIN = 'options=$(python config_to_args.py) || exit; eval "exec python train.py $options"'


@dataclass(frozen=True)
class Workplace:
    """The template's copy, and what its programs make. The name stands for code and options: others begin anew."""

    folder: Path

    @property
    def space(self) -> Path:
        return self.folder / "workspace"

    @property
    def train(self) -> Path:
        return self.folder / "train"

    @property
    def log(self) -> Path:
        return self.folder / "train.log"

    @property
    def places(self) -> dict[str, str]:
        """What stands in for /minio/datasets, /datasets and /train."""
        return {
            "DATASET_ID": ID,
            "AGRIGAIA_MINIO": str(self.folder / "minio"),
            "AGRIGAIA_DATASETS": str(self.folder / "datasets"),
            "AGRIGAIA_TRAIN": str(self.train),
        }


def prepared(template: Path, root: Path, work: Path) -> Workplace:
    """A working folder for this template with the data set in reach; what an earlier run of it left stays."""
    if not (template / "train.py").is_file() or not (template / "setup.py").is_file():
        raise UserError(f"--template {template} has no setup.py and train.py; run the rule that writes the template")
    if not root.is_dir():
        raise UserError(f"{root} is not there any more; fetch the data again")
    files = sorted(path for path in template.iterdir() if path.is_file())
    code = [path for path in files if (path.suffix or path.name) in LEARNT_FROM and path.name not in APART]
    place = Workplace(work.absolute() / hash_of([[path.name, sha256(path)] for path in code]))
    with replacing_tree(place.space) as new:
        for path in files:
            shutil.copy(path, new)
    place.train.mkdir(parents=True, exist_ok=True)
    link = place.folder / "minio" / ID
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(root.resolve(), target_is_directory=True)
    return place


def run(place: Workplace, script: str, name: str, threads: int, log: IO[bytes]) -> None:
    """A program of the template; its words go to the terminal and the log as they come."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1", **dict.fromkeys(POOLS, str(threads))}
    places = [f"{key}={value}" for key, value in place.places.items()]
    decoder, last = codecs.getincrementaldecoder("utf-8")(errors="replace"), b""
    with _running(["bash", "-c", PREPARED + script, "bash", *places], place.space, environment) as process:
        assert process.stdout is not None
        while chunk := os.read(process.stdout.fileno(), CHUNK):
            log.write(chunk)
            log.flush()
            sys.stdout.write(decoder.decode(chunk))
            sys.stdout.flush()
            last = (last + chunk)[-CHUNK:]
        status = process.wait()
    if status:
        lines = [line.strip() for line in last.decode("utf-8", errors="replace").splitlines() if line.strip()]
        said = lines[-1].removeprefix("error: ")[:WORDS] if lines else "nothing"
        raise UserError(f"{name} ended with {_status(status)} and said: {said}")


def _status(status: int) -> str:
    if status < 0:
        return f"signal {signal.Signals(-status).name}"
    return f"status {status}"


@contextmanager
def _running(words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends with the block, and with this process, however that ends."""
    process = begun(words, environment, subprocess.PIPE, folder)
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            killed_after(process, GRACE)
        if process.stdout is not None:
            process.stdout.close()
