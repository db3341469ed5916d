"""The parts of the training kit: CPUs, batches, schedule, random state, precision, tables, events."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from containers.kit import amp, batches, cpus, rng
from containers.kit.batches import Batches
from containers.kit.logs import Board, write_table
from containers.kit.schedule import cosine, factor


def machine(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n")
    return root


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": "150000 100000"}, 1.5),
        ({"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": "max 100000"}, None),
        (
            {
                "proc/self/cgroup": "0::/a/b",
                "sys/fs/cgroup/a/cpu.max": "400000 100000",
                "sys/fs/cgroup/a/b/cpu.max": "max 100000",
            },
            4.0,
        ),
        (
            {
                "proc/self/cgroup": "11:memory:/docker/x\n4:cpu,cpuacct:/docker/x",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "200000",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
            },
            2.0,
        ),
        (
            {
                "proc/self/cgroup": "4:cpu,cpuacct:/docker/x",
                "sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_quota_us": "-1",
                "sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_period_us": "100000",
            },
            None,
        ),
        ({}, None),
    ],
)
def test_quota_of_the_cgroup(files: dict[str, str], quota: float | None, tmp_path: Path) -> None:
    assert cpus.cgroup_quota(machine(tmp_path, files)) == quota
    allowed = len(os.sched_getaffinity(0))
    assert cpus.available(tmp_path) == (allowed if quota is None else max(1, min(allowed, int(quota))))


def test_half_a_cpu_is_one_thread(tmp_path: Path) -> None:
    root = machine(tmp_path, {"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": "50000 100000"})
    assert cpus.available(root) == 1


def test_thread_limits_are_set_but_not_over_a_users() -> None:
    environment = {"MKL_NUM_THREADS": "7"}
    before = torch.get_num_threads()
    try:
        threads = cpus.limit_threads(most=1, environment=environment)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
    assert threads == 1
    assert environment == {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "7",
        "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1",
    }


@pytest.mark.parametrize(("flags", "expected"), [("fpu amx_bf16 sse", True), ("fpu avx512_bf16 sse", False)])
def test_halves_are_for_cpus_with_matrix_units(tmp_path: Path, flags: str, expected: bool) -> None:
    (tmp_path / "cpuinfo").write_text(f"model name\t: amx_bf16 in a name\nflags\t\t: {flags}\n")
    assert cpus.fast_halves(tmp_path / "cpuinfo") is expected
    assert cpus.fast_halves(tmp_path / "none") is False


def test_global_batches_do_not_depend_on_the_number_of_processes() -> None:
    alone = Batches(10, 4, seed=5)
    pair = [Batches(10, 2, seed=5, world=2, rank=rank) for rank in range(2)]
    for each in (alone, *pair):
        each.begin(epoch=3, start=0)
    assert alone.steps == pair[0].steps == 3
    joined = [left + right for left, right in zip(*pair, strict=True)]
    assert list(alone) == joined
    seen = [index for batch in joined for _, index in batch]
    assert sorted(seen[:10]) == list(range(10))
    assert seen[10:] == seen[:2], "the last batch is filled from the beginning"
    assert {epoch for batch in joined for epoch, _ in batch} == {3}


def test_batches_start_within_an_epoch_and_differ_by_epoch() -> None:
    order = Batches(7, 2, seed=1)
    order.begin(0, 0)
    first = list(order)
    order.begin(0, 2)
    assert list(order) == first[2:]
    assert len(order) == 2
    order.begin(1, 0)
    assert [i for b in order for _, i in b] != [i for b in first for _, i in b]


def test_fewer_cases_than_a_batch() -> None:
    assert [[index for _, index in batch] for batch in Batches(1, 3, seed=1)] == [[0, 0, 0]]


def test_loaders_are_as_many_as_shared_memory_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert batches.workers_that_fit(4, 1, shared=tmp_path) == 4
    assert capsys.readouterr().err == ""
    assert batches.workers_that_fit(4, 1 << 60, shared=tmp_path) == 0
    assert f"{tmp_path} has room for 0 of 4 loaders; using 0" in capsys.readouterr().err
    assert batches.workers_that_fit(2, 1, shared=tmp_path / "none") == 0


def test_schedule_rises_and_falls() -> None:
    values = [factor(step, 100, 0.1) for step in range(101)]
    assert values[0] == pytest.approx(0.1)
    assert values[9] == values[10] == 1.0
    assert values[55] == pytest.approx(0.5)
    assert values[100] == pytest.approx(0.0)
    assert factor(0, 100, 0.0) == 1.0
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=2.0)
    schedule = cosine(optimizer, 4, 0.0)
    rates = []
    for _ in range(4):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates == pytest.approx([2.0, 1.7071, 1.0, 0.2929], abs=1e-4)


def test_random_state_is_taken_up_again() -> None:
    rng.seed_all(3)
    state = rng.capture()
    drawn = (random.random(), np.random.rand(), float(torch.rand(1)))
    assert (random.random(), np.random.rand(), float(torch.rand(1))) != drawn
    rng.restore(state)
    assert (random.random(), np.random.rand(), float(torch.rand(1))) == drawn


def test_seeds_are_the_same_in_every_process() -> None:
    code = "from containers.kit.rng import seed_of; print(seed_of('augment', 1, 22, 333))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == rng.seed_of("augment", 1, 22, 333)
    assert rng.seed_of(1, 23) != rng.seed_of(12, 3)


def test_precision_is_full_on_the_cpu_unless_told_and_suits_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    assert [amp.choose(choice, cpu) for choice in ("auto", "off", "fp16")] == [None, None, None]
    assert amp.choose("bf16", cpu) is torch.bfloat16
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 6))  # noqa: ARG005
    assert amp.choose("auto", gpu) is torch.bfloat16
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))  # noqa: ARG005
    assert amp.choose("auto", gpu) is torch.float16
    assert amp.choose("bf16", gpu) is torch.bfloat16
    assert amp.choose("off", gpu) is None


def test_table_and_events(tmp_path: Path) -> None:
    write_table(tmp_path / "t.csv", ("a", "b"), [{"a": 0.25, "b": None, "more": 1}, {"a": 2}])
    assert (tmp_path / "t.csv").read_text() == "a,b\n0.25,\n2,\n"
    board = Board(tmp_path / "board", 1)
    board.add(1, {"loss": 0.5, "auc": None})
    board.close()
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / "board"))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss")] == [(1, 0.5)]
