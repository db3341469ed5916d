"""GPUs of one's own: two processes never share one, and death frees what it held."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from containers.kit.errors import UserError
from workflow.scripts.lease import main
from workflow.scripts.slipway.gpus import Gpu, discover, watched
from workflow.scripts.slipway.lease import lease

HOLD = "import os, sys, time; print(os.environ['CUDA_VISIBLE_DEVICES'], flush=True); time.sleep(60)"
SMI = """#!/bin/sh
case "$*" in
    *memory.used*) echo 1024; echo 4096 ;;
    *) echo "0, GPU-aaa, 81920"; echo "1, GPU-bbb, 81920"; echo "2, GPU-ccc, [N/A]" ;;
esac
"""
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts lease commands on a pretended host of two GPUs."""
    processes: list[subprocess.Popen[str]] = []
    environment = {**os.environ, "SLIPWAY_GPUS": "0,1", "SLIPWAY_LEASES": str(tmp_path / "leases")}
    environment.pop("CUDA_VISIBLE_DEVICES", None)

    def command(gpus: int, code: str = HOLD) -> subprocess.Popen[str]:
        words = [sys.executable, "-m", "workflow.scripts.lease", "--gpus", str(gpus), "--", sys.executable, "-c", code]
        processes.append(
            subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        )
        return processes[-1]

    yield command
    for process in processes:
        process.kill()
        process.communicate()


def seen(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def waits(process: subprocess.Popen[str]) -> bool:
    """It says so, and has not begun."""
    assert process.stderr is not None
    said = process.stderr.readline()
    time.sleep(0.3)
    return said.startswith("waiting for") and process.poll() is None


@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGTERM])
def test_two_processes_share_nothing_and_a_third_waits(start: Start, death: signal.Signals) -> None:
    first, second = start(1), start(1)
    ids = [seen(first), seen(second)]
    assert sorted(ids) == ["0", "1"]
    third = start(1)
    assert waits(third)
    second.send_signal(death)
    assert seen(third) == ids[1]


def test_whoever_waits_for_two_gets_both(start: Start) -> None:
    first, second = start(1), start(1)
    seen(first), seen(second)
    both = start(2)
    assert waits(both)
    first.kill()
    single = start(1)  # comes later, so it must not snatch what the earlier one waits for
    assert waits(single)
    second.kill()
    assert seen(both) == "0,1"
    both.kill()
    assert seen(single) in ("0", "1")


def test_the_command_replaces_the_lease_and_gives_its_status(start: Start) -> None:
    code = "import os, sys; print(os.getpid(), os.environ['CUDA_DEVICE_ORDER']); sys.exit(7)"
    process = start(1, code)
    assert seen(process) == f"{process.pid} PCI_BUS_ID"
    assert process.wait(10) == 7


def test_a_lease_within_a_leased_command_is_the_same(start: Start) -> None:
    code = (
        "from workflow.scripts.slipway.lease import lease\nwith lease(2) as taken: print(taken.ids, taken.descriptors)"
    )
    assert seen(start(2, code)) == "('0', '1') ()"
    assert seen(start(1, code)) in ("('0',) ()", "('1',) ()")


def test_no_gpu_sets_nothing_and_zero_hides_all(tmp_path: Path) -> None:
    environment = {**os.environ, "SLIPWAY_GPUS": "", "SLIPWAY_LEASES": str(tmp_path)}
    environment.pop("CUDA_VISIBLE_DEVICES", None)
    code = "import os; print(repr(os.environ.get('CUDA_VISIBLE_DEVICES')))"

    def printed(gpus: str) -> str:
        words = [sys.executable, "-m", "workflow.scripts.lease", "--gpus", gpus, "--", sys.executable, "-c", code]
        return subprocess.run(words, env=environment, capture_output=True, text=True, check=True).stdout.strip()

    assert printed("1") == "None"
    assert printed("0") == "''"


def test_context_manager_takes_what_there_is_and_gives_it_back(tmp_path: Path) -> None:
    environment = {"SLIPWAY_GPUS": "0,1", "SLIPWAY_LEASES": str(tmp_path / "leases")}
    with lease(1, environment) as one, lease(1, environment) as other:
        assert {one.ids, other.ids} == {("0",), ("1",)}
    with lease(5, environment) as all_:
        assert all_.ids == ("0", "1")
    assert (tmp_path / "leases").stat().st_mode & 0o7777 == 0o1777


def nvidia(tmp_path: Path, **more: str) -> dict[str, str]:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(SMI, encoding="utf-8")
    tool.chmod(0o755)
    return {"PATH": f"{tmp_path}:/bin:/usr/bin", **more}


def test_discovery_by_nvidia_smi(tmp_path: Path) -> None:
    found = discover(nvidia(tmp_path))
    assert found == [Gpu("0", "GPU-aaa", 80 << 30), Gpu("1", "GPU-bbb", 80 << 30), Gpu("2", "GPU-ccc", 0)]


@pytest.mark.parametrize(
    ("visible", "ids"), [("2,0", ["2", "0"]), ("GPU-bbb", ["1"]), ("", []), ("-1", []), ("1,-1,2", ["1"])]
)
def test_a_preset_choice_is_honoured(tmp_path: Path, visible: str, ids: list[str]) -> None:
    assert [gpu.id for gpu in discover(nvidia(tmp_path, CUDA_VISIBLE_DEVICES=visible))] == ids


def test_a_preset_gpu_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="CUDA_VISIBLE_DEVICES names GPU '7', but this host has 0, 1, 2"):
        discover(nvidia(tmp_path, CUDA_VISIBLE_DEVICES="7"))


def test_no_driver_means_no_gpu(tmp_path: Path) -> None:
    environment = nvidia(tmp_path)
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho NVIDIA-SMI has failed; exit 9\n", encoding="utf-8")
    assert discover(environment) == []
    assert discover({"PATH": "/nowhere", "CUDA_VISIBLE_DEVICES": "0"}) == []


def test_gpu_memory_is_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", nvidia(tmp_path)["PATH"])
    with watched(("0", "1")) as looks:
        deadline = time.monotonic() + 10
        while not looks and time.monotonic() < deadline:
            time.sleep(0.01)
    assert looks == [4 << 30]
    with watched(()) as none:
        assert none == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--gpus", "1"], "there is no command after --"),
        (["--gpus", "-1", "--", "true"], "--gpus is -1; give 0 or more"),
        (["--gpus", "0", "--", "no-such-command"], "no-such-command cannot be run (No such file or directory)"),
    ],
)
def test_mistakes_are_one_sentence(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 1
    assert sentence in capsys.readouterr().err
