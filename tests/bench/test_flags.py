"""Flags: the engine's words, and what gives way on a smaller host."""

from __future__ import annotations

from dataclasses import replace

import pytest

from workflow.scripts.slipway.flags import Flags, adapt, bytes_of, human
from workflow.scripts.slipway.host import Host

SMALL = Host(cpus=2, memory=8 << 30, gpus=0, cgroup="v2", runtimes=("runc",))
LARGE = Host(cpus=64, memory=512 << 30, gpus=4, cgroup="v2", runtimes=("nvidia", "runc"))


def test_every_flag_has_its_words() -> None:
    flags = Flags(
        gpus="all",
        runtime="nvidia",
        memory="32g",
        cpus=1.5,
        cap_drop=("ALL",),
        cap_add=("SYS_NICE", "SYS_ADMIN"),
        shm_size="12g",
        ipc="host",
        user="root",
        ulimits=("memlock=-1", "stack=67108864"),
        env={"A": "1", "B": "two words"},
        read_only=True,
        tmpfs=("/tmp",),
        non_root=True,
    )
    assert flags.words() == [
        *("--gpus", "all", "--runtime", "nvidia", "--memory", "32g", "--cpus", "1.5", "--cap-drop", "ALL"),
        *("--cap-add", "SYS_NICE", "--cap-add", "SYS_ADMIN", "--shm-size", "12g", "--ipc", "host", "--user", "root"),
        *("--ulimit", "memlock=-1", "--ulimit", "stack=67108864", "--env", "A=1", "--env", "B=two words"),
        *("--tmpfs", "/tmp", "--read-only"),
    ]
    assert Flags().words() == []


def test_several_gpus_keep_their_comma() -> None:
    flags = Flags(gpus="device=2,3")
    assert flags.words() == ["--gpus", '"device=2,3"']
    assert flags.words("podman") == ["--device", "nvidia.com/gpu=2", "--device", "nvidia.com/gpu=3"]


def test_a_large_host_changes_nothing_but_names_the_leased_gpus() -> None:
    asked = Flags(gpus="all", runtime="nvidia", memory="128g", memory_swap="128g", cpus=16)
    used, changes = adapt(asked, LARGE, ("1", "2"), promised_gpus=2)
    assert changes == []
    assert used == Flags(gpus="device=1,2", runtime="nvidia", memory="128g", memory_swap="128g", cpus=16)


def test_a_small_host_gives_what_it_has_and_says_so() -> None:
    asked = Flags(gpus="all", runtime="nvidia", memory="128g", memory_swap="128g", cpus=16, pids_limit=256)
    used, changes = adapt(asked, SMALL, (), promised_gpus=2)
    assert used == Flags(memory="8192m", memory_swap="8192m", cpus=2, pids_limit=256)
    assert [(change.flag, change.asked, change.used, change.why) for change in changes] == [
        ("--gpus", "all", "", "this host has no GPU; the container runs on the CPU"),
        ("--runtime", "nvidia", "", "this engine has no runtime 'nvidia'"),
        ("--cpus", "16", "2", "this host has 2 CPUs"),
        ("--memory", "128g", "8192m", "this host has 8 GiB of memory"),
        ("--memory-swap", "128g", "8192m", "this host has 8 GiB of memory"),
    ]


def test_fewer_gpus_than_promised_are_told() -> None:
    used, changes = adapt(Flags(gpus="all"), LARGE, ("3",), promised_gpus=2)
    assert used.gpus == "device=3"
    assert [change.why for change in changes] == ["2 are promised, this host has 1 to give"]


def test_gpus_that_the_engine_cannot_hand_over_are_told() -> None:
    host = Host(cpus=2, memory=8 << 30, gpus=1, cgroup="v2", gpu_complaint="install nvidia-container-toolkit")
    used, changes = adapt(Flags(gpus="all"), host, (), promised_gpus=1)
    assert (used.gpus, changes[0].why) == ("", "install nvidia-container-toolkit")


NAMED = Flags(gpus="device=0", env={"NVIDIA_VISIBLE_DEVICES": "0", "A": "1"})


def test_a_gpu_asked_for_by_number_becomes_the_leased_one_in_both_places() -> None:
    used, changes = adapt(NAMED, LARGE, ("3",), promised_gpus=1)
    assert changes == []
    assert used == Flags(gpus="device=3", env={"NVIDIA_VISIBLE_DEVICES": "3", "A": "1"})
    assert used.words()[:2] == ["--gpus", '"device=3"']


def test_a_gpu_asked_for_by_number_is_left_out_where_there_is_none() -> None:
    used, changes = adapt(NAMED, SMALL, (), promised_gpus=1)
    assert used == Flags(env=NAMED.env)
    assert [(change.flag, change.asked, change.used) for change in changes] == [("--gpus", "device=0", "")]


AMOS = Flags(gpus="0", runtime="nvidia", env={"NVIDIA_VISIBLE_DEVICES": "all", "A": "1"})


def test_a_gpu_by_the_runtime_and_not_by_the_flag_keeps_the_word() -> None:
    used, changes = adapt(AMOS, LARGE, ("2",), promised_gpus=1)
    assert changes == []
    assert used == replace(AMOS, env={"NVIDIA_VISIBLE_DEVICES": "2", "A": "1"})
    assert used.words() == [
        *("--gpus", "0", "--runtime", "nvidia", "--env", "NVIDIA_VISIBLE_DEVICES=2", "--env", "A=1"),
    ]


def test_without_that_runtime_the_flag_itself_names_the_gpu() -> None:
    host = replace(LARGE, runtimes=("runc",))
    used, changes = adapt(AMOS, host, ("2",), promised_gpus=1)
    assert used == replace(AMOS, gpus="device=2", runtime="")
    assert [(change.flag, change.asked, change.used, change.why) for change in changes] == [
        ("--gpus", "0", "device=2", "without a runtime 'nvidia' the word 0 would give no GPU"),
        ("--runtime", "nvidia", "", "this engine has no runtime 'nvidia'"),
    ]


@pytest.mark.parametrize(
    ("host", "why"),
    [
        (SMALL, "this engine has no runtime 'nvidia'"),
        (replace(SMALL, runtimes=("nvidia", "runc")), "the runtime 'nvidia' starts nothing without a GPU"),
    ],
)
def test_without_a_gpu_both_words_go_and_are_told(host: Host, why: str) -> None:
    used, changes = adapt(AMOS, host, (), promised_gpus=1)
    assert used == Flags(env=AMOS.env)
    assert [(change.flag, change.asked, change.used, change.why) for change in changes] == [
        ("--gpus", "0", "", "this host has no GPU; the container runs on the CPU"),
        ("--runtime", "nvidia", "", why),
    ]


BY_RUNTIME = Flags(runtime="nvidia", memory="4g")  # the image's own environment asks for all GPUs


def test_the_runtime_alone_gets_the_leased_gpus_by_name() -> None:
    used, changes = adapt(BY_RUNTIME, LARGE, ("1",), promised_gpus=1)
    assert changes == []
    assert used == replace(BY_RUNTIME, env={"NVIDIA_VISIBLE_DEVICES": "1"})


def test_without_the_runtime_the_flag_takes_its_place() -> None:
    used, changes = adapt(BY_RUNTIME, replace(LARGE, runtimes=("runc",)), ("1",), promised_gpus=1)
    assert used == Flags(gpus="device=1", memory="4g")
    assert [(change.flag, change.asked, change.used) for change in changes] == [
        ("--gpus", "", "device=1"),
        ("--runtime", "nvidia", ""),
    ]


def test_the_runtime_goes_where_there_is_no_gpu() -> None:
    used, changes = adapt(BY_RUNTIME, replace(SMALL, runtimes=("nvidia", "runc")), (), promised_gpus=1)
    assert used == Flags(memory="4g")
    assert [(change.flag, change.why) for change in changes] == [
        ("--runtime", "this host has no GPU; the container runs on the CPU")
    ]


def test_gpus_are_wanted_by_flag_or_by_runtime() -> None:
    assert [flags.wants_gpus for flags in (BY_RUNTIME, Flags(gpus="all"), Flags(runtime="runc"), Flags())] == [
        *(True, True, False, False),
    ]


@pytest.mark.parametrize(("size", "value"), [("64m", 64 << 20), ("1.5G", 3 << 29), ("512", 512), ("2k", 2048)])
def test_sizes(size: str, value: int) -> None:
    assert bytes_of(size) == value


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "0.999 KiB"), (1 << 20, "1 MiB"), (1023 << 20, "0.999 GiB"), (5 << 40, "5 TiB")],
)
def test_sizes_for_people(size: int, text: str) -> None:
    assert human(size) == text
