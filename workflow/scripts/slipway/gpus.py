"""Which GPUs this process may take."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from containers.kit.errors import UserError

QUERY = ("--query-gpu=index,uuid,memory.total", "--format=csv,noheader,nounits")
SECONDS = 2.0  # between two looks at the memory of the GPUs
PRETENDED = "SLIPWAY_GPUS"  # ids such as "0,1", for a host without nvidia-smi and for tests
VISIBLE = "CUDA_VISIBLE_DEVICES"
HIDDEN = ("-1", "none", "NoDevFiles")


@dataclass(frozen=True)
class Gpu:
    id: str  # as CUDA_VISIBLE_DEVICES and the engine name it
    key: str  # the same for all processes of the host, whatever numbers they see
    memory: int = 0  # bytes; 0 where unknown


def discover(environ: Mapping[str, str] = os.environ) -> list[Gpu]:
    """The host's GPUs, or those among them that a preset CUDA_VISIBLE_DEVICES leaves to us."""
    pretended = environ.get(PRETENDED)
    found = [Gpu(name, name) for name in _split(pretended)] if pretended is not None else _asked(environ)
    visible = environ.get(VISIBLE)
    if visible is None:
        return found
    chosen: list[Gpu] = []
    for name in _split(visible):
        if name in HIDDEN:  # CUDA too ends its list here
            break
        matches = [gpu for gpu in found if name == gpu.id or (name.startswith("GPU-") and gpu.key.startswith(name))]
        if found and not matches and not name.startswith("MIG-"):
            raise UserError(
                f"{VISIBLE} names GPU '{name}', but this host has {', '.join(gpu.id for gpu in found)}; correct it"
            )
        chosen += matches or ([Gpu(name, name)] if found else [])
    return chosen


@contextmanager
def watched(ids: Sequence[str]) -> Iterator[list[int]]:
    """A list that grows by the bytes in use on the fullest of these GPUs; it stays empty where that is not known."""
    looks: list[int] = []
    tool = shutil.which("nvidia-smi")
    if not ids or tool is None:
        yield looks
        return
    over = threading.Event()
    command = [tool, f"--id={','.join(ids)}", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]

    def look() -> None:
        while not over.is_set():
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            used = [int(line) << 20 for line in done.stdout.split() if line.isdigit()]
            if used and max(used) > max(looks, default=-1):
                looks.append(max(used))
            over.wait(SECONDS)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield looks
    finally:
        over.set()
        thread.join()


def _asked(environ: Mapping[str, str]) -> list[Gpu]:
    tool = shutil.which("nvidia-smi", path=environ.get("PATH"))
    if tool is None:
        return []
    done = subprocess.run([tool, *QUERY], capture_output=True, text=True, check=False, env=dict(environ))
    if done.returncode:  # the tool is there and the driver is not: no GPU that anybody could use
        return []
    rows = [[cell.strip() for cell in line.split(",")] for line in done.stdout.splitlines() if line.strip()]
    return [Gpu(index, uuid, int(memory) << 20 if memory.isdigit() else 0) for index, uuid, memory in rows]


def _split(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]
