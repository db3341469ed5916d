"""How much memory this process may use, and how much it has: a container often has less than its host shows."""

from __future__ import annotations

from pathlib import Path

from containers.kit import cgroups

GIB = 1 << 30


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
