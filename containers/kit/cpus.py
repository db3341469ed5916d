"""How many CPUs this process may use: a container often has fewer than its host shows."""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from pathlib import Path, PurePosixPath

# OpenBLAS, MKL, OpenMP and ITK read these once, so they must be set before numpy, torch and SimpleITK are imported.
POOLS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
)


def available(root: Path = Path("/")) -> int:
    """CPUs that this process may keep busy: what it is bound to, and no more than its cgroup's quota."""
    allowed = len(os.sched_getaffinity(0))
    quota = cgroup_quota(root)
    return allowed if quota is None else max(1, min(allowed, int(quota)))


def limit_threads(most: int = 16, environment: MutableMapping[str, str] | None = None) -> int:
    """Let each library's pool have as many threads as there are CPUs, not as the host has.

    Without it, four pools with a thread for each of the host's CPUs pass a container's limit of processes.
    """
    environment = os.environ if environment is None else environment
    threads = min(available(), most)
    for name in POOLS:
        environment.setdefault(name, str(threads))
    if "torch" in sys.modules:  # loaded before, so the environment comes too late for it
        import torch

        torch.set_num_threads(threads)
    return threads


def cgroup_quota(root: Path = Path("/")) -> float | None:
    """CPUs by the quota of the cgroup or of one above it, v1 or v2; None where there is none."""
    quotas = []
    for controllers, group in _groups(root / "proc/self/cgroup"):
        if not controllers:
            quotas += [_quota_v2(folder) for folder in _upwards(root / "sys/fs/cgroup", group)]
        elif "cpu" in controllers:
            for mount in ("cpu", ",".join(controllers)):
                quotas += [_quota_v1(folder) for folder in _upwards(root / "sys/fs/cgroup" / mount, group)]
    known = [quota for quota in quotas if quota is not None]
    return min(known) if known else None


def _groups(table: Path) -> list[tuple[list[str], PurePosixPath]]:
    """The lines `id:controllers:path`; v2 has no controllers."""
    lines = [line.split(":", 2) for line in (_read(table) or "").splitlines()]
    return [
        (fields[1].split(",") if fields[1] else [], PurePosixPath(fields[2])) for fields in lines if len(fields) == 3
    ]


def _upwards(mount: Path, group: PurePosixPath) -> list[Path]:
    """The group's folder and those above it: in a container only the topmost is visible, and it is its own."""
    relative = PurePosixPath(*group.parts[1:])
    return [mount / relative, *(mount / parent for parent in relative.parents)]


def _quota_v2(folder: Path) -> float | None:
    fields = (_read(folder / "cpu.max") or "").split()
    return _ratio(fields[0], fields[1]) if len(fields) == 2 else None


def _quota_v1(folder: Path) -> float | None:
    return _ratio(_read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us"))


def _ratio(quota: str | None, period: str | None) -> float | None:
    try:
        share = int(quota or "max") / int(period or "0")
    except (ValueError, ZeroDivisionError):  # "max": no quota
        return None
    return share if share > 0 else None  # v1 says -1 for no quota


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None
