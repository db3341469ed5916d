"""The same container started again, as a platform that trains again does it, and the score that each start leaves."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bench.conftest import ANSWERS, FakeDocker, Trial
from workflow.scripts.slipway.engine import Engine

Left = Callable[[], list[str]]
AGAIN = "the platform starts the same container again (`docker start`), so it must be idempotent: "


def custom(folder: Path, regexp: str = "[ ]+Accuracy[ ]+(\\d*[.]\\d*)\\n") -> str:
    path = folder / "custom.json"
    path.write_text(json.dumps({"score_name": "Acc.", "score_regexp": regexp}))
    return f"--score={path}"


def names(trial: Trial) -> list[str]:
    return [check["name"] for check in trial.verdict["runs"][0]["checks"]]


def test_one_start_is_all_there_is_without_the_key(trial: Trial, fake_docker: FakeDocker) -> None:
    assert trial.test() == 0
    assert "start" not in [call[0] for call in fake_docker.calls]
    run = trial.verdict["runs"][0]
    assert (run["starts"], run["score"]) == (1, None)
    assert not [name for name in names(trial) if "start" in name]


def test_a_container_that_failed_is_not_started_again(trial: Trial, fake_docker: FakeDocker) -> None:
    trial.image["starts"] = 2
    fake_docker.answer(state={**ANSWERS["state"], "ExitCode": 3})
    assert trial.test() == 1
    assert "start" not in [call[0] for call in fake_docker.calls]
    assert trial.verdict["runs"][0]["starts"] == 1


def test_a_status_that_lets_it_go_on_has_it_started_again(trial: Trial, fake_docker: FakeDocker) -> None:
    trial.image.update(starts=2, finished=[3])
    fake_docker.answer(state={**ANSWERS["state"], "ExitCode": 3})
    assert trial.test() == 0
    name = fake_docker.run_words()[2]
    assert [call for call in fake_docker.calls if call[0] == "start"] == [["start", "--attach", name]]
    assert fake_docker.calls.index(["start", "--attach", name]) < fake_docker.calls.index(
        ["rm", "--force", "--volumes", name]
    )
    assert trial.check("second start: exit code")["status"] == "WARN"
    assert trial.check("second start: exit code")["note"].startswith("the container ended with exit code 3")


def test_an_engine_that_refuses_the_second_start_is_quoted(trial: Trial, fake_docker: FakeDocker) -> None:
    trial.image["starts"] = 2
    fake_docker.answer(refuses_again="Error response from daemon: no space left on device")
    assert trial.test() == 1
    told = "the engine could not start the container: Error response from daemon: no space left on device"
    assert trial.verdict["reason"] == f"Under the profile organisers: {AGAIN}{told}."
    run = trial.verdict["runs"][0]
    assert (run["exit_code"], run["starts"]) == (None, 2)


def test_the_score_file_is_read_before_anything_runs(
    trial: Trial, fake_docker: FakeDocker, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trial.test(custom(trial.folder, "(")) == 1
    assert "score_regexp is no regular expression" in capsys.readouterr().err
    assert not (fake_docker.folder / "calls.jsonl").exists()


@pytest.mark.engine
def test_two_good_starts_are_judged_alike_and_share_a_log(real: Trial, left: Left) -> None:
    real.image["starts"] = 2
    assert real.test() == 0
    run = real.verdict["runs"][0]
    assert Path(run["log"]).read_text() == "mode ok\nAll done.\n" * 2
    assert (run["starts"], run["exit_code"]) == (2, 0)
    name = run["command"].split()[run["command"].split().index("--name") + 1]
    assert run["command"].endswith(f" start --attach {name}")
    second = [one.removeprefix("second start: ") for one in names(real) if one.startswith("second start: ")]
    assert second == [
        *("memory", "time", "read-only mounts", "network", "processes", "shared memory"),
        *("exit code", "success line", "CPU"),
    ]
    assert real.check("second start: CPU")["status"] == "PASS"
    assert left() == []


# mode, the check that fails first, words of the reason
FAILURES = [
    ("fails_again", "exit code", "exit code 1; its last words: FileExistsError: the folders are there already"),
    ("silent_again", "success line", "did not print the line 'All done.'"),
    ("hangs_again", "time", "stopped at its time limit of 3 s"),
]


@pytest.mark.engine
@pytest.mark.parametrize(("mode", "check", "words"), FAILURES, ids=[mode for mode, _, _ in FAILURES])
def test_a_second_start_that_fails_fails_the_test(real: Trial, left: Left, mode: str, check: str, words: str) -> None:
    real.image["starts"] = 2
    assert real.test("--time-limit=3", mode=mode) == 1
    assert AGAIN in real.verdict["reason"]
    assert words in real.verdict["reason"]
    assert real.check(check)["status"] == "PASS"
    assert real.check(f"second start: {check}")["status"] == "FAIL"
    first = next(one for one in real.verdict["runs"][0]["checks"] if one["status"] == "FAIL")
    assert first["name"] == f"second start: {check}"
    assert left() == []


@pytest.mark.engine
def test_a_test_stopped_in_the_second_start_removes_the_container(real: Trial, engine: Engine) -> None:
    real.image["starts"] = 2
    command = [sys.executable, "-m", "workflow.scripts.test", *real.words(mode="hangs_again")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    log = real.folder / "logs" / "subject_organisers.log"
    while not log.is_file() or log.read_text().count("mode hangs_again") < 2:
        assert process.poll() is None
        time.sleep(0.05)
    process.terminate()
    assert process.wait(30) == 1
    assert f"-{process.pid}-" not in engine.ask("ps", "--all", "--format", "{{.Names}}")
    assert real.verdict["reason"] == "The test was stopped before its end."


@pytest.mark.engine
def test_each_start_leaves_its_score(real: Trial) -> None:
    real.image["starts"] = 2
    assert real.test(custom(real.folder), mode="scores") == 0
    assert real.check("score")["got"] == "Acc. 0.511"
    assert real.check("second start: score")["got"] == "Acc. 0.988"
    assert real.verdict["runs"][0]["score"] == {"name": "Acc.", "value": 0.988}


@pytest.mark.engine
def test_a_log_without_a_score_fails_the_test(real: Trial) -> None:
    assert real.test(custom(real.folder)) == 1
    assert "the platform would find no score and answer 404" in real.verdict["reason"]
    assert real.verdict["runs"][0]["score"] is None
