"""GPUs of one's own: a lease is a locked file, so the kernel frees it when its holder dies, however it dies."""

from __future__ import annotations

import fcntl
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from containers.kit.errors import UserError
from workflow.scripts.slipway.gpus import VISIBLE, Gpu, discover

LEASED = "SLIPWAY_LEASED"  # the ids that this very process already holds, set by the lease command
FOLDER = "SLIPWAY_LEASES"  # a folder that all processes of the host see, where the default is not one
PAUSE = 0.1


@dataclass(frozen=True)
class Lease:
    ids: tuple[str, ...]
    descriptors: tuple[int, ...] = ()

    def environment(self) -> dict[str, str]:
        """What a program needs in order to see these GPUs and no other."""
        visible = ",".join(self.ids)
        # Without the order, CUDA sorts GPUs by speed, and a number means another card than it does to nvidia-smi.
        return {VISIBLE: visible, "CUDA_DEVICE_ORDER": "PCI_BUS_ID", LEASED: visible}


@contextmanager
def lease(wanted: int, environ: Mapping[str, str] = os.environ) -> Iterator[Lease]:
    """Hold `wanted` GPUs, or as many as the host has, until the block ends."""
    taken = take(wanted, environ)
    try:
        yield taken
    finally:
        release(taken)


def take(wanted: int, environ: Mapping[str, str] = os.environ) -> Lease:
    """Wait for GPUs and hold them until `release`, or until this process ends."""
    if LEASED in environ:
        return Lease(tuple(filter(None, environ[LEASED].split(",")))[:wanted])
    gpus = discover(environ)
    wanted = min(wanted, len(gpus))
    if wanted == 0:
        return Lease(())
    folder = _folder(environ)
    # Whoever waits for several GPUs collects them one by one; a queue keeps two such from waiting for each other.
    queue = _open(folder / "queue")
    held: dict[str, int] = {}
    try:
        _lock_queue(queue, wanted)
        _collect(folder, gpus, wanted, held)
    except BaseException:
        release(Lease((), tuple(held.values())))
        raise
    finally:
        os.close(queue)
    ordered = [gpu for gpu in gpus if gpu.key in held]
    return Lease(tuple(gpu.id for gpu in ordered), tuple(held[gpu.key] for gpu in ordered))


def release(taken: Lease) -> None:
    for descriptor in taken.descriptors:
        os.close(descriptor)


def _lock_queue(queue: int, wanted: int) -> None:
    if not _locked(queue):
        _say(wanted)
        fcntl.flock(queue, fcntl.LOCK_EX)


def _collect(folder: Path, gpus: Sequence[Gpu], wanted: int, held: dict[str, int]) -> None:
    said = False
    while True:
        for gpu in gpus:
            if gpu.key in held or len(held) == wanted:
                continue
            descriptor = _open(folder / re.sub(r"[^A-Za-z0-9-]", "_", gpu.key))
            if _locked(descriptor):
                held[gpu.key] = descriptor
            else:
                os.close(descriptor)
        if len(held) == wanted:
            return
        if not said:
            _say(wanted)
            said = True
        time.sleep(PAUSE)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _folder(environ: Mapping[str, str]) -> Path:
    folder = Path(environ.get(FOLDER) or Path(tempfile.gettempdir()) / "slipway-gpus")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with suppress(PermissionError):  # another user made it, and opened it as we would
            folder.chmod(0o1777)
    except OSError as error:
        raise UserError(f"GPU leases need the folder {folder} ({error.strerror}); set {FOLDER} to another") from None
    return folder


def _open(path: Path) -> int:
    """A descriptor for a lock file that another user may have made: to lock it, reading is enough."""
    for flags in (os.O_RDONLY, os.O_RDONLY | os.O_CREAT):  # a sticky folder refuses O_CREAT on another's file
        with suppress(FileNotFoundError):
            return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    raise UserError(f"{path} cannot be made; set {FOLDER} to a folder that all users of this host may write")


def _say(wanted: int) -> None:
    print(f"waiting for {wanted} free GPU{'s' * (wanted != 1)}; others hold them", file=sys.stderr, flush=True)
