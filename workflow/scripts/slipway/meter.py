"""What a running container uses, sampled from outside until it ends."""

from __future__ import annotations

import os
import re
import select
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from workflow.scripts.slipway import cgroup

SECONDS = 0.05  # between two looks in the first minute
SECONDS_LATER = 0.25  # after it, so that a training of days costs next to nothing
RECENT_SECONDS = 20.0  # over which a container that is being stopped is judged to hang or to work

N = TypeVar("N", int, float)


@dataclass
class Usage:
    """Peaks and sums; None where nothing could be measured."""

    working_set: int | None = None
    high_water: int | None = None
    pids: int | None = None
    pids_hits: int | None = None
    cpu_seconds: float | None = None
    cpus_lately: float | None = None  # CPUs that were busy just before the end
    oom_kills: int | None = None
    shm: int | None = None
    shm_size: int | None = None
    gpu_memory: int | None = None  # bytes on the fullest GPU
    no_routes: int | None = None  # tries to reach an address that no network leads to
    _recent: deque[tuple[float, float]] = field(default_factory=deque, repr=False)

    def add(self, look: cgroup.Reading, now: float) -> None:
        self.working_set = _most(self.working_set, look.working_set)
        self.high_water = _most(self.high_water, look.high_water)
        self.pids = _most(self.pids, _most(look.pids, look.pids_peak))
        self.pids_hits = _most(self.pids_hits, look.pids_hits)
        self.oom_kills = _most(self.oom_kills, look.oom_kills)
        if look.cpu_seconds is None:
            return
        self.cpu_seconds = _most(self.cpu_seconds, look.cpu_seconds)
        self._recent.append((now, look.cpu_seconds))
        while now - self._recent[0][0] > RECENT_SECONDS:
            self._recent.popleft()
        first, used = self._recent[0]
        if now > first:
            self.cpus_lately = (look.cpu_seconds - used) / (now - first)


@dataclass
class Meter:
    """Looks at the container whose first process is `pid`; use it through `metering`."""

    usage: Usage
    pid: int | None = None
    group: cgroup.Cgroup | None = None
    shm: int | None = None  # descriptors that stay good when the first process is gone
    routes: list[int] = field(default_factory=list)
    ends: select.poll | None = None

    def sample(self) -> None:
        if self.group:
            self.usage.add(self.group.read(), time.monotonic())
        if self.shm is not None:
            space = os.fstatvfs(self.shm)
            self.usage.shm_size = space.f_blocks * space.f_frsize
            self.usage.shm = _most(self.usage.shm, self.usage.shm_size - space.f_bfree * space.f_frsize)
        for descriptor in self.routes:
            self.usage.no_routes = _most(self.usage.no_routes, _no_routes(os.pread(descriptor, 1 << 16, 0).decode()))

    def wait(self, deadline: float) -> bool:
        """Sample until the container's first process ends; False when the deadline comes first."""
        begun = time.monotonic()
        while True:
            self.sample()
            now = time.monotonic()
            if now >= deadline:
                return False
            pause = min(SECONDS if now - begun < 60 else SECONDS_LATER, deadline - now)
            # The process's own descriptor wakes us the moment it ends, while its group still holds the last figures.
            if self.ends is not None:
                if self.ends.poll(pause * 1000):
                    self.sample()
                    return True
            elif self.pid is None or not _alive(self.pid):
                return True
            else:
                time.sleep(pause)


@contextmanager
def metering(pid: int | None) -> Iterator[Meter]:
    """A meter for the container of process `pid`; None gives one that measures nothing and ends at once."""
    meter = Meter(Usage(), pid)
    opened: list[int] = []
    try:
        if pid is not None:
            meter.group = cgroup.find(pid)
            # All of these fail softly: a rootless host may look at less, and the verdict says what was not measured.
            with suppress(OSError):
                opened.append(os.pidfd_open(pid))
                meter.ends = select.poll()
                meter.ends.register(opened[-1], select.POLLIN)
            with suppress(OSError):
                opened.append(os.open(f"/proc/{pid}/root/dev/shm", os.O_RDONLY | os.O_DIRECTORY))
                meter.shm = opened[-1]
            if _own_network(pid):
                for name in ("snmp", "snmp6"):
                    with suppress(OSError):
                        opened.append(os.open(f"/proc/{pid}/net/{name}", os.O_RDONLY))
                        meter.routes.append(opened[-1])
        yield meter
    finally:
        for descriptor in opened:
            os.close(descriptor)


def _own_network(pid: int) -> bool:
    """Whether the process has a network apart from ours, so that its counters are its own."""
    try:
        return Path(f"/proc/{pid}/ns/net").readlink() != Path("/proc/self/ns/net").readlink()
    except OSError:
        return False


def _no_routes(text: str) -> int | None:
    """The kernel's count of packets that had nowhere to go, in either of its two layouts."""
    if match := re.search(r"^Ip6OutNoRoutes\s+(\d+)", text, re.MULTILINE):
        return int(match[1])
    rows = [line.split() for line in text.splitlines() if line.startswith("Ip:")]
    if len(rows) == 2 and "OutNoRoutes" in rows[0]:
        return int(rows[1][rows[0].index("OutNoRoutes")])
    return None


def _alive(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    return False


def _most(one: N | None, other: N | None) -> N | None:
    return other if one is None else one if other is None else max(one, other)
