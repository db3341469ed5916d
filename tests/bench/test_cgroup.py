"""Control groups of both versions, from recorded files."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflow.scripts.slipway import cgroup
from workflow.scripts.slipway.meter import Usage, _no_routes

V1_FILES = {
    "memory/docker/abc/memory.usage_in_bytes": "7000000\n",
    "memory/docker/abc/memory.max_usage_in_bytes": "9000000\n",
    "memory/docker/abc/memory.stat": "cache 4096\ninactive_file 1\ntotal_inactive_file 2000000\n",
    "memory/docker/abc/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
    "pids/docker/abc/pids.current": "7\n",
    "pids/docker/abc/pids.events": "max 3\n",
    "cpuacct/docker/abc/cpuacct.usage": "1500000000\n",
}
V2_FILES = {
    "system.slice/docker-abc.scope/memory.current": "7000000\n",
    "system.slice/docker-abc.scope/memory.peak": "9000000\n",
    "system.slice/docker-abc.scope/memory.stat": "anon 4096\ninactive_file 2000000\nactive_file 5\n",
    "system.slice/docker-abc.scope/memory.events": "low 0\nhigh 0\nmax 21\noom 2\noom_kill 2\noom_group_kill 0\n",
    "system.slice/docker-abc.scope/pids.current": "7\n",
    "system.slice/docker-abc.scope/pids.peak": "11\n",
    "system.slice/docker-abc.scope/pids.events": "max 3\n",
    "system.slice/docker-abc.scope/cpu.stat": "usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\n",
}


def tree(root: Path, files: dict[str, str], mounts: str, groups: str) -> Path:
    """A pretended /proc beside a pretended /sys/fs/cgroup."""
    for name, text in files.items():
        (root / "sys" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "sys" / name).write_text(text, encoding="ascii")
    for folder in ("self", "42"):
        (root / "proc" / folder).mkdir(parents=True)
    (root / "proc" / "self" / "mountinfo").write_text(mounts.replace("SYS", str(root / "sys")), encoding="utf-8")
    (root / "proc" / "42" / "cgroup").write_text(groups, encoding="utf-8")
    return root / "proc"


V1_MOUNTS = (
    "31 23 0:28 / /other rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "33 31 0:30 / SYS/cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 / SYS/memory rw,relatime - cgroup cgroup rw,memory\n"
    "39 31 0:36 / SYS/pids rw,relatime - cgroup cgroup rw,pids\n"
    "41 31 0:38 / SYS/unified rw,relatime - cgroup2 cgroup2 rw\n"
)
V1_GROUPS = "9:name=systemd:/docker/abc\n8:pids:/docker/abc\n4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n0::/\n"


def test_version_1_also_on_a_hybrid_host(tmp_path: Path) -> None:
    group = cgroup.find(42, tree(tmp_path, V1_FILES, V1_MOUNTS, V1_GROUPS))
    assert group is not None
    assert group.version == 1
    assert group.read() == cgroup.Reading(
        working_set=5000000, high_water=9000000, pids=7, pids_hits=3, cpu_seconds=1.5, oom_kills=2
    )


def test_version_2(tmp_path: Path) -> None:
    mounts = "35 24 0:30 / SYS rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
    group = cgroup.find(42, tree(tmp_path, V2_FILES, mounts, "0::/system.slice/docker-abc.scope\n"))
    assert group is not None
    assert group.version == 2
    assert group.read() == cgroup.Reading(
        working_set=5000000, high_water=9000000, pids=7, pids_peak=11, pids_hits=3, cpu_seconds=1.5, oom_kills=2
    )


def test_a_mount_that_shows_a_part_of_the_hierarchy(tmp_path: Path) -> None:
    """As inside a container that was given its own part of version 2."""
    mounts = "35 24 0:30 /machine.slice SYS rw - cgroup2 cgroup2 rw\n"
    group = cgroup.find(42, tree(tmp_path, V2_FILES, mounts, "0::/machine.slice/system.slice/docker-abc.scope\n"))
    assert group is not None
    assert group.read().pids_peak == 11


def test_an_older_kernel_tells_less(tmp_path: Path) -> None:
    files = {name: text for name, text in V2_FILES.items() if not name.endswith(".peak")}
    mounts = "35 24 0:30 / SYS rw - cgroup2 cgroup2 rw\n"
    group = cgroup.find(42, tree(tmp_path, files, mounts, "0::/system.slice/docker-abc.scope\n"))
    assert group is not None
    assert (group.read().high_water, group.read().pids_peak, group.read().pids) == (None, None, 7)


def test_nothing_to_be_seen(tmp_path: Path) -> None:
    proc = tree(tmp_path, {}, V1_MOUNTS, V1_GROUPS)
    assert cgroup.find(42, proc) is None
    assert cgroup.find(43, proc) is None


def test_peaks_and_recent_work() -> None:
    usage = Usage()
    for second, (memory, pids, cpu) in enumerate([(5, 3, 1.0), (9, 8, 3.0), (4, 2, 5.0)]):
        usage.add(cgroup.Reading(working_set=memory, pids=pids, cpu_seconds=cpu), now=float(second))
    assert (usage.working_set, usage.pids, usage.cpu_seconds, usage.cpus_lately) == (9, 8, 5.0, 2.0)
    usage.add(cgroup.Reading(), now=100.0)  # the group is gone: what is known stays known
    assert (usage.working_set, usage.cpus_lately, usage.high_water) == (9, 2.0, None)
    usage.add(cgroup.Reading(cpu_seconds=5.0), now=200.0)
    usage.add(cgroup.Reading(cpu_seconds=5.0), now=201.0)
    assert usage.cpus_lately == 0.0


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Ip: Forwarding OutRequests OutNoRoutes\nIp: 1 0 2\nIcmp: InMsgs\nIcmp: 0\n", 2),
        ("Ip6InReceives  \t0\nIp6OutNoRoutes                  \t5\n", 5),
        ("Udp: InDatagrams\nUdp: 0\n", None),
    ],
)
def test_unreachable_addresses_are_counted(text: str, count: int | None) -> None:
    assert _no_routes(text) == count
