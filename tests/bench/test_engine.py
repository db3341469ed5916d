"""Verdicts on a real engine: every way to fail is told apart, in words, and nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bench.conftest import Trial
from workflow.scripts.slipway import folders, leftovers
from workflow.scripts.slipway.engine import Engine

pytestmark = pytest.mark.engine
Left = Callable[[], list[str]]

# mode, the check that fails first, words of the reason
FAILURES = [
    ("oom", "memory", "ran out of memory: it needs more than the 64m"),
    ("oom_in_worker", "memory", "the kernel killed one of its processes"),
    ("crash", "exit code", "exit code 1; its last words: RuntimeError: the weights are not there"),
    ("silent", "success line", "did not print the line 'All done.'"),
    ("nan", "not finite", "probability-severe-covid-19.json holds nan: the model's result is not a number"),
    ("missing", "missing output", "must write probability-severe-covid-19.json"),
    ("extra", "extra output", "must not leave debug.txt"),
    ("unreadable", "unreadable output", "probability-severe-covid-19.json cannot be read as JSON"),
    ("write_input", "read-only mounts", "tried to write to /input/, which holds its input and is read-only"),
    ("write_input_quietly", "read-only mounts", "tried to write to /input/"),
    ("network", "network", "tried to use the network, and there is none"),
    ("threads", "processes", "wanted more than the 24 processes and threads"),
    ("shm_full", "shared memory", "needs more shared memory (/dev/shm) than the 2m it has"),
    ("shm_bus_error", "shared memory", "needs more shared memory (/dev/shm) than the 2m it has"),
]


@pytest.mark.parametrize(("mode", "check", "words"), FAILURES, ids=[mode for mode, _, _ in FAILURES])
def test_each_failure_has_its_own_reason(real: Trial, left: Left, mode: str, check: str, words: str) -> None:
    assert real.test(mode=mode) == 1
    verdict = real.verdict
    assert verdict["status"] == "FAIL"
    assert words in verdict["reason"]
    assert real.check(check)["status"] == "FAIL"
    first = next(one for one in verdict["runs"][0]["checks"] if one["status"] == "FAIL")
    assert first["name"] == check
    assert left() == []


def test_a_user_who_may_not_write_to_a_closed_output_is_found_out(real: Trial, left: Left) -> None:
    real.image["mounts"]["output"]["opened"] = False
    assert real.test() == 1
    assert "Permission denied: '/output/" in real.verdict["reason"]
    real.values["images"]["subject"]["profiles"]["organisers"]["user"] = "10001"  # who names the user opens the folder
    assert real.test() == 0
    assert real.output.stat().st_mode & 0o777 == 0o777
    assert left() == []


@pytest.mark.parametrize(("mode", "words"), [("hang", "it hangs: it used no CPU"), ("busy", "it was still working")])
def test_time_limit_tells_a_hang_from_slow_work(real: Trial, left: Left, mode: str, words: str) -> None:
    begun = time.monotonic()
    assert real.test("--time-limit=2", mode=mode) == 1
    assert time.monotonic() - begun < 10
    assert "stopped at its time limit of 2 s" in real.verdict["reason"]
    assert words in real.verdict["reason"]
    assert real.check("memory")["status"] == "PASS"
    assert left() == []


def test_a_good_container_passes_both_profiles(real: Trial, left: Left, capsys: pytest.CaptureFixture[str]) -> None:
    assert real.test(profiles=("organisers", "strict")) == 0
    verdict = real.verdict
    assert (verdict["status"], verdict["image_id"]) == ("PASS", real.image_id)
    assert [run["profile"] for run in verdict["runs"]] == ["organisers", "strict"]
    assert {path.name: path.read_text() for path in real.output.iterdir()} == {
        "probability-covid-19.json": "0.25",
        "probability-severe-covid-19.json": "0.125",
    }
    assert real.image_id in verdict["runs"][0]["command"]
    assert "--read-only" in verdict["runs"][1]["command"]
    assert real.check("user", run=1)["got"] == "10001"
    assert [path.name for path in real.folder.glob(".output*")] == []
    assert json.loads((real.folder / "verdict.last.json").read_text()) == verdict
    assert (real.folder / "logs" / "subject_organisers.log").read_text() == "mode ok\nAll done.\n"
    printed = capsys.readouterr()
    assert "PASS  trial subject: It ran as promised under organisers and strict" in printed.out
    assert verdict["runs"][0]["command"] in printed.err
    assert left() == []


def test_use_is_metered(real: Trial) -> None:
    real.image["profiles"]["organisers"]["memory"] = "128m"
    real.image["profiles"]["organisers"]["memory_swap"] = "128m"
    assert real.test(mode="use") == 0
    got = {check["name"]: check["got"] for check in real.verdict["runs"][0]["checks"]}
    assert 32 < float(got["memory"].split(" MiB")[0]) < 64
    assert float(got["CPU"].split(" s")[0]) > 0.5
    assert 6 <= int(got["processes"]) <= 10
    assert got["shared memory"] == "1 MiB"
    assert got["network"] == "no attempt"
    assert real.check("shared memory")["headroom"] == "50 %"


def test_a_peak_near_its_limit_is_a_warning(real: Trial) -> None:
    real.image["profiles"]["organisers"]["shm_size"] = "1100k"
    assert real.test(mode="use") == 0
    assert real.check("shared memory")["status"] == "WARN"
    assert "close to the limit" in real.check("shared memory")["note"]


def test_a_quiet_try_at_the_network_is_noticed(real: Trial) -> None:
    assert real.test(mode="network_quietly") == 0
    assert real.check("network")["status"] == "WARN"


def test_strict_catches_a_write_to_the_root(real: Trial) -> None:
    assert real.test(mode="write_root", profiles=("organisers", "strict")) == 1
    assert [run["status"] for run in real.verdict["runs"]] == ["PASS", "FAIL"]
    assert "Under the profile strict: the container tried to write where it may not" in real.verdict["reason"]


def test_output_comes_out_of_a_named_volume(real: Trial, left: Left) -> None:
    real.image["mounts"]["output"]["kind"] = "volume"
    assert real.test(profiles=("organisers", "strict")) == 0
    assert sorted(path.name for path in real.output.iterdir()) == [
        "probability-covid-19.json",
        "probability-severe-covid-19.json",
    ]
    assert ":/output/" in real.verdict["runs"][0]["command"]
    assert str(real.output) not in real.verdict["runs"][0]["command"]
    assert left() == []


def test_what_the_engine_refuses_is_told_in_its_words(real: Trial, left: Left) -> None:
    real.image["profiles"]["organisers"]["security_opt"] = ["seccomp=/nowhere.json"]
    assert real.test() == 1
    assert "the engine could not start the container" in real.verdict["reason"]
    assert "/nowhere.json" in real.verdict["reason"]
    assert left() == []


def test_an_image_that_is_gone(real: Trial, capsys: pytest.CaptureFixture[str]) -> None:
    real.image_id = "sha256:" + "0" * 64
    assert real.test() == 1
    assert "has no image subject" in real.verdict["reason"]
    assert "build it again" in capsys.readouterr().err


def started(real: Trial, engine: Engine, *more: str) -> tuple[subprocess.Popen[bytes], str]:
    """The command as a process of its own, and its container once it runs."""
    command = [sys.executable, "-m", "workflow.scripts.test", *real.words(*more, mode="hang")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        running = engine.ask("ps", "--format", "{{.Names}}", "--filter", f"name=-{process.pid}-").split()
        if running:
            return process, running[0]
        time.sleep(0.05)
    raise AssertionError("the container did not start")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_test_removes_its_container(real: Trial, engine: Engine, number: signal.Signals) -> None:
    process, name = started(real, engine)
    process.send_signal(number)
    assert process.wait(20) != 0
    assert name not in engine.ask("ps", "--all", "--format", "{{.Names}}").split()
    assert real.verdict["status"] == "FAIL"
    assert real.verdict["reason"] == "The test was stopped before its end."


def test_a_test_stopped_while_its_container_is_being_made(real: Trial, engine: Engine) -> None:
    command = [sys.executable, "-m", "workflow.scripts.test", *real.words(mode="hang")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    while " run --name " not in process.stderr.readline():
        assert process.poll() is None
    process.terminate()
    assert process.wait(30) == 1
    time.sleep(0.5)
    assert f"-{process.pid}-" not in engine.ask("ps", "--all", "--format", "{{.Names}}")
    assert real.verdict["reason"] == "The test was stopped before its end."


def test_the_next_test_removes_what_a_killed_one_left(real: Trial, engine: Engine) -> None:
    real.image["mounts"]["output"]["kind"] = "volume"
    process, name = started(real, engine)
    process.kill()
    process.wait()
    assert name in engine.ask("ps", "--format", "{{.Names}}").split()
    assert leftovers.sweep(engine) == [name, f"{name}-output"]
    assert name not in engine.ask("ps", "--all", "--format", "{{.Names}}").split()
    assert f"{name}-output" not in engine.ask("volume", "ls", "--format", "{{.Name}}").split()


def test_sweeping_spares_a_test_that_runs(real: Trial, engine: Engine) -> None:
    process, name = started(real, engine)
    assert leftovers.sweep(engine) == []
    assert name in engine.ask("ps", "--format", "{{.Names}}").split()
    process.terminate()
    process.wait()


def test_files_of_another_user_are_opened(tmp_path: Path, engine: Engine, subject_id: str) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "model").write_text("weights")
    (tmp_path / "deep" / "model").chmod(0o400)
    (tmp_path / "deep").chmod(0o500)
    os.chown(tmp_path / "deep", 10001, 10001)
    assert folders.open_as_root(engine, subject_id, tmp_path) == ""
    assert (tmp_path / "deep").stat().st_mode & 0o777 == 0o777
    assert (tmp_path / "deep" / "model").stat().st_mode & 0o777 == 0o666
