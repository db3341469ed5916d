"""What this host has to give: CPUs, memory, GPUs and the engine's runtimes."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflow.scripts.slipway.engine import Engine

GPU_TOOLS = ("nvidia-container-runtime-hook", "nvidia-container-cli", "nvidia-ctk")


@dataclass(frozen=True)
class Host:
    cpus: int
    memory: int  # bytes
    gpus: int  # that this run may take
    cgroup: str  # v1 or v2
    runtimes: tuple[str, ...] = ()
    gpu_complaint: str = ""  # why GPUs that are here cannot be handed to a container

    def as_json(self) -> dict[str, Any]:
        return {"cpus": self.cpus, "memory": self.memory, "gpus": self.gpus, "cgroup": self.cgroup}


def look(engine: Engine, gpus: int) -> Host:
    """Ask the engine, which may know of less than this machine has; `gpus` is how many are discovered here."""
    info = json.loads(engine.ask("info", "--format", "{{json .}}"))
    if engine.name == "podman":
        host = info.get("host", {})
        return Host(
            cpus=int(host.get("cpus") or _cpus()),
            memory=int(host.get("memTotal") or _memory()),
            gpus=gpus,
            cgroup=str(host.get("cgroupVersion", "v2")),
            runtimes=(str(host.get("ociRuntime", {}).get("name", "")),),
        )
    runtimes = tuple(sorted(info.get("Runtimes") or {}))
    ready = "nvidia" in runtimes or any(shutil.which(tool) for tool in GPU_TOOLS)
    return Host(
        cpus=int(info.get("NCPU") or _cpus()),
        memory=int(info.get("MemTotal") or _memory()),
        gpus=gpus,
        cgroup=f"v{info.get('CgroupVersion') or 1}",
        runtimes=runtimes,
        gpu_complaint=""
        if ready or not gpus
        else "this host has GPUs, but the engine cannot hand them to a container; install nvidia-container-toolkit",
    )


def _cpus() -> int:
    return os.cpu_count() or 1


def _memory() -> int:
    line = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()[0]
    return int(line.split()[1]) * 1024
