"""The flags of a run: from the contract's keys to the engine's words, fitted to what this host has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from workflow.scripts.slipway.host import Host

NO_GPU = "this host has no GPU; the container runs on the CPU"
NONE = "0"  # as a word for --gpus
NVIDIA = "nvidia"  # the runtime
VISIBLE = "NVIDIA_VISIBLE_DEVICES"  # by which the nvidia runtime knows what to hand over
UNITS = {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


@dataclass(frozen=True)
class Flags:
    """Empty, zero and false mean that the flag is not given."""

    gpus: str = ""
    runtime: str = ""
    memory: str = ""
    memory_swap: str = ""
    cpus: float = 0
    cap_drop: tuple[str, ...] = ()
    cap_add: tuple[str, ...] = ()
    security_opt: tuple[str, ...] = ()
    network: str = ""
    shm_size: str = ""
    pids_limit: int = 0
    ipc: str = ""
    user: str = ""
    ulimits: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    read_only: bool = False
    tmpfs: tuple[str, ...] = ()
    non_root: bool = False

    @property
    def wants_gpus(self) -> bool:
        """By --gpus, or by the runtime alone, which hands over what the image's own environment names."""
        return bool(self.gpus) or self.runtime == NVIDIA

    def words(self, engine: str = "docker") -> list[str]:
        """The engine's words, in the order in which the organisers write them."""
        words = _gpu_words(self.gpus, engine)
        for flag, value in (
            ("--runtime", self.runtime),
            ("--memory", self.memory),
            ("--memory-swap", self.memory_swap),
            ("--cpus", f"{self.cpus:g}" if self.cpus else ""),
            ("--cap-drop", self.cap_drop),
            ("--cap-add", self.cap_add),
            ("--security-opt", self.security_opt),
            ("--network", self.network),
            ("--shm-size", self.shm_size),
            ("--pids-limit", str(self.pids_limit) if self.pids_limit else ""),
            ("--ipc", self.ipc),
            ("--user", self.user),
            ("--ulimit", self.ulimits),
            ("--env", tuple(f"{key}={value}" for key, value in self.env.items())),
            ("--tmpfs", self.tmpfs),
        ):
            for one in (value,) if isinstance(value, str) else value:
                words += [flag, one] if one else []
        return words + (["--read-only"] if self.read_only else [])


@dataclass(frozen=True)
class Adapted:
    """A flag that could not be kept to the letter on this host."""

    flag: str
    asked: str
    used: str  # empty where the flag was left out
    why: str


def adapt(flags: Flags, host: Host, gpus: Sequence[str], promised_gpus: int) -> tuple[Flags, list[Adapted]]:
    """Lower or drop what this host cannot give; `gpus` are the ids that this run has leased."""
    changes: list[Adapted] = []

    def change(flag: str, key: str, used: Any, why: str) -> None:
        nonlocal flags
        asked = getattr(flags, key)
        shown = [f"{value:g}" if isinstance(value, float) else str(value) for value in (asked, used)]
        changes.append(Adapted(flag, shown[0], shown[1] if used else "", why))
        flags = replace(flags, **{key: used})

    if flags.gpus == NONE:
        # By itself it means no GPU; with this variable the runtime hands them over all the same, so here it names them.
        if gpus and flags.runtime in host.runtimes:
            if flags.env.get(VISIBLE) == "all":
                flags = replace(flags, env={**flags.env, VISIBLE: ",".join(gpus)})
        elif gpus:
            why = f"without a runtime '{flags.runtime}' the word {NONE} would give no GPU"
            change("--gpus", "gpus", f"device={','.join(gpus)}", why)
        else:
            change("--gpus", "gpus", "", host.gpu_complaint or NO_GPU)
            if flags.runtime in host.runtimes:
                change("--runtime", "runtime", "", f"the runtime '{flags.runtime}' starts nothing without a GPU")
    elif not flags.gpus and flags.wants_gpus:
        if gpus and flags.runtime in host.runtimes:
            flags = replace(flags, env={**flags.env, VISIBLE: ",".join(gpus)})
        elif gpus:
            change("--gpus", "gpus", f"device={','.join(gpus)}", f"this engine has no runtime '{flags.runtime}'")
        elif flags.runtime in host.runtimes:
            change("--runtime", "runtime", "", host.gpu_complaint or NO_GPU)
    elif flags.gpus:
        if gpus:
            # Naming the leased GPUs instead of those asked for is no weaker promise; only a smaller number is a change.
            named = f"device={','.join(gpus)}"
            if len(gpus) < promised_gpus:
                change("--gpus", "gpus", named, f"{promised_gpus} are promised, this host has {len(gpus)} to give")
            env = {**flags.env, VISIBLE: ",".join(gpus)} if VISIBLE in flags.env else flags.env
            flags = replace(flags, gpus=named, env=env)
        else:
            change("--gpus", "gpus", "", host.gpu_complaint or NO_GPU)
    if flags.runtime and flags.runtime not in host.runtimes:
        change("--runtime", "runtime", "", f"this engine has no runtime '{flags.runtime}'")
    if flags.cpus > host.cpus:
        change("--cpus", "cpus", float(host.cpus), f"this host has {host.cpus} CPUs")
    room = host.memory // UNITS["m"]
    for flag, key in (("--memory", "memory"), ("--memory-swap", "memory_swap")):
        if getattr(flags, key) and bytes_of(getattr(flags, key)) > host.memory:
            change(flag, key, f"{room}m", f"this host has {human(host.memory)} of memory")
    return flags, changes


def bytes_of(size: str) -> int:
    """The bytes in a size as the engine writes it, such as 128m."""
    unit = size[-1].lower()
    return int(float(size[:-1]) * UNITS[unit]) if unit in UNITS else int(float(size))


def human(size: float) -> str:
    """A size that a person reads at a glance."""
    units = iter(("B", "KiB", "MiB", "GiB", "TiB"))
    unit = next(units)
    while size >= 999.5 and unit != "TiB":
        size, unit = size / 1024, next(units)
    return f"{size:.3g} {unit}"


def _gpu_words(gpus: str, engine: str) -> list[str]:
    if not gpus:
        return []
    if not gpus.startswith("device="):
        return ["--gpus", gpus]
    if engine == "podman":  # it names GPUs by their CDI device
        return [word for gpu in gpus[7:].split(",") for word in ("--device", f"nvidia.com/gpu={gpu}")]
    # The engine reads the value as CSV: without quotes of its own the comma would end the list of devices.
    return ["--gpus", f'"{gpus}"']
