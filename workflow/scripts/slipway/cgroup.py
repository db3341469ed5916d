"""A container's control group, version 1 or 2: found through a process of the container, read as often as wanted."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Reading:
    """One look; None where the kernel or our rights do not let us know."""

    working_set: int | None = None  # bytes in use without the file cache that the kernel would give back
    high_water: int | None = None  # the group's own peak in bytes, file cache included
    pids: int | None = None  # processes and threads
    pids_peak: int | None = None
    pids_hits: int | None = None  # how often a new process was refused
    cpu_seconds: float | None = None
    oom_kills: int | None = None


@dataclass(frozen=True)
class Cgroup:
    """The folders of one group; version 1 has one a controller, version 2 one for all."""

    version: int
    memory: Path | None
    pids: Path | None
    cpu: Path | None

    def read(self) -> Reading:
        return _read_v1(self) if self.version == 1 else _read_v2(self)


def find(pid: int, proc: Path = PROC) -> Cgroup | None:
    """The group of process `pid`, or None when it is gone or its group cannot be seen from here."""
    try:
        lines = (proc / str(pid) / "cgroup").read_text(encoding="utf-8").splitlines()
        mounts = (proc / "self" / "mountinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    paths: dict[str, str] = {}  # controller -> path in its hierarchy; "" is the unified one
    for line in lines:
        _, controllers, path = line.split(":", 2)
        paths.update(dict.fromkeys(controllers.split(","), path))
    if "memory" in paths or "pids" in paths:  # also a hybrid host, whose unified hierarchy meters nothing
        folders = {name: _folder(mounts, name, paths.get(name)) for name in ("memory", "pids", "cpuacct")}
        found = Cgroup(1, folders["memory"], folders["pids"], folders["cpuacct"])
    else:
        folder = _folder(mounts, "", paths.get(""))
        found = Cgroup(2, folder, folder, folder)
    return found if found.memory or found.pids else None


def _folder(mounts: list[str], controller: str, path: str | None) -> Path | None:
    """Where the group `path` of a controller's hierarchy is to be seen in the file system."""
    if path is None:
        return None
    for line in mounts:
        left, _, right = line.partition(" - ")
        root, point = left.split()[3:5]
        kind, _, options = right.split(maxsplit=2)
        if (kind == "cgroup2") if not controller else (kind == "cgroup" and controller in options.split(",")):
            # In a container of our own, the mount shows only a part of the hierarchy, from `root` on.
            folder = Path(os.path.normpath(Path(point) / os.path.relpath(path, root)))
            if folder.is_dir():
                return folder
    return None


def _read_v1(group: Cgroup) -> Reading:
    inactive = _field(group.memory, "memory.stat", "total_inactive_file")
    nanoseconds = _number(group.cpu, "cpuacct.usage")
    return Reading(
        working_set=_minus(_number(group.memory, "memory.usage_in_bytes"), inactive),
        high_water=_number(group.memory, "memory.max_usage_in_bytes"),
        pids=_number(group.pids, "pids.current"),
        pids_peak=_number(group.pids, "pids.peak"),
        pids_hits=_field(group.pids, "pids.events", "max"),
        cpu_seconds=None if nanoseconds is None else nanoseconds / 1e9,
        oom_kills=_field(group.memory, "memory.oom_control", "oom_kill"),
    )


def _read_v2(group: Cgroup) -> Reading:
    microseconds = _field(group.cpu, "cpu.stat", "usage_usec")
    return Reading(
        working_set=_minus(
            _number(group.memory, "memory.current"), _field(group.memory, "memory.stat", "inactive_file")
        ),
        high_water=_number(group.memory, "memory.peak"),
        pids=_number(group.pids, "pids.current"),
        pids_peak=_number(group.pids, "pids.peak"),
        pids_hits=_field(group.pids, "pids.events", "max"),
        cpu_seconds=None if microseconds is None else microseconds / 1e6,
        oom_kills=_field(group.memory, "memory.events", "oom_kill"),
    )


def _text(folder: Path | None, name: str) -> str | None:
    if folder is None:
        return None
    try:
        return (folder / name).read_text(encoding="ascii")
    except OSError:  # an older kernel has no such file, or the group is gone
        return None


def _number(folder: Path | None, name: str) -> int | None:
    text = _text(folder, name)
    return int(text) if text is not None and text.strip().isdigit() else None


def _field(folder: Path | None, name: str, key: str) -> int | None:
    for line in (_text(folder, name) or "").splitlines():
        found, _, value = line.partition(" ")
        if found == key:
            return int(value)
    return None


def _minus(usage: int | None, inactive: int | None) -> int | None:
    return None if usage is None or inactive is None else max(0, usage - inactive)
