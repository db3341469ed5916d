"""What CPUs this process may use: a container often has fewer than its host shows, and some multiply halves."""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from pathlib import Path

from containers.kit import cgroups

# OpenBLAS, MKL, OpenMP and ITK read these once, so they must be set before numpy, torch and SimpleITK are imported.
POOLS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
)

CPUINFO = Path("/proc/cpuinfo")
MATRIX_UNITS = "amx_bf16"  # without matrix units for them, a CPU is slower with halves than without


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


def fast_halves(cpuinfo: Path = CPUINFO) -> bool:
    """Whether convolutions in bfloat16 take a fraction of the time of those in single precision."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    return any(MATRIX_UNITS in line.split() for line in lines if line.startswith("flags"))


def cgroup_quota(root: Path = Path("/")) -> float | None:
    """CPUs by the quota of the cgroup or of one above it, v1 or v2; None where there is none."""
    quotas = {1: _quota_v1, 2: _quota_v2}
    found = [quotas[version](folder) for version, folder in cgroups.folders("cpu", root)]
    return min((quota for quota in found if quota is not None), default=None)


def _quota_v2(folder: Path) -> float | None:
    fields = (cgroups.read(folder / "cpu.max") or "").split()
    return _ratio(fields[0], fields[1]) if len(fields) == 2 else None


def _quota_v1(folder: Path) -> float | None:
    return _ratio(cgroups.read(folder / "cpu.cfs_quota_us"), cgroups.read(folder / "cpu.cfs_period_us"))


def _ratio(quota: str | None, period: str | None) -> float | None:
    try:
        share = int(quota or "max") / int(period or "0")
    except (ValueError, ZeroDivisionError):  # "max": no quota
        return None
    return share if share > 0 else None  # v1 says -1 for no quota
