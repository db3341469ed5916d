"""How much memory this process may use, and how much it has: a container often has less than its host shows."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from containers.kit import cgroups

GIB = 1 << 30
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # of glibc's mallopt


def limit(root: Path = Path("/")) -> int:
    """Bytes: the smallest limit of this process's cgroup and of those above it, and no more than the machine has.

    Swap is left out: what lies there is too slow to count on.
    """
    names = {1: "memory.limit_in_bytes", 2: "memory.max"}
    found = [_bytes(cgroups.read(folder / names[version])) for version, folder in cgroups.folders("memory", root)]
    machine = _field(root / "proc/meminfo", "MemTotal")
    known = [value for value in (*found, machine) if value]
    if not known:
        raise RuntimeError(f"neither a cgroup under {root} nor {root / 'proc/meminfo'} says how much memory there is")
    return min(known)


def resident(root: Path = Path("/")) -> int:
    """Bytes that this process holds now."""
    return _field(root / "proc/self/status", "VmRSS")


def peak(root: Path = Path("/")) -> int:
    """The most bytes that this process has held so far."""
    return _field(root / "proc/self/status", "VmHWM")


@contextmanager
def reused() -> Iterator[None]:
    """In the block, memory that is freed stays with this process and serves the next allocation.

    Otherwise glibc gives each large piece back, and the kernel clears it page by page when the next layer of a network
    asks for as much: a quarter of the time of a network on the CPU. The peak is the same, and at the end of the block
    what is free is given back. Where the C library is another one, nothing changes.
    """
    library = ctypes.CDLL(None)
    if not all(hasattr(library, name) for name in ("mallopt", "malloc_trim")):
        yield
        return
    try:
        library.mallopt(MMAP_THRESHOLD, GIB)
        library.mallopt(TRIM_THRESHOLD, GIB)
        yield
    finally:
        library.mallopt(MMAP_THRESHOLD, 32 << 20)  # as far as glibc itself would raise it
        library.mallopt(TRIM_THRESHOLD, 64 << 20)
        library.malloc_trim(0)


def _bytes(text: str | None) -> int:
    """0 where there is no limit, which v2 writes as "max" and v1 as a number that no machine has."""
    return int(text) if text and text.isdigit() else 0


def _field(path: Path, name: str) -> int:
    """The value of a line such as `MemTotal:  24689764 kB`, in bytes; 0 where it is not there."""
    for line in (cgroups.read(path) or "").splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0]) << 10
    return 0
