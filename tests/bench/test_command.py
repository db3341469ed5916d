"""The command's logic on a fake engine: the run's words, what gives way, the verdict whatever happens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.bench.conftest import ANSWERS, FAKE_ID, FakeDocker, Trial
from workflow.scripts import test as command
from workflow.scripts.slipway import folders


def test_the_run_is_the_contracts(trial: Trial, fake_docker: FakeDocker) -> None:
    assert trial.test() == 0
    words = fake_docker.run_words()
    assert words[1] == "--name"
    assert words[3:] == [
        *("--memory", "64m", "--memory-swap", "64m", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
        *("--network", "none", "--shm-size", "2m", "--pids-limit", "24"),
        *("--volume", f"{trial.folder}/input:/input/:ro", "--volume", f"{trial.folder}/output:/output/"),
        FAKE_ID,
    ]
    assert ["rm", "--force", "--volumes", words[2]] in fake_docker.calls


def test_the_verdict_is_whole(trial: Trial) -> None:
    trial.image["command"] = ["python", "run_inference.py"]
    assert trial.test() == 0
    verdict = trial.verdict
    run = verdict.pop("runs")[0]
    assert verdict.pop("warnings") == sum(check["status"] == "WARN" for check in run["checks"])
    assert verdict.pop("reason").startswith("It ran as promised under organisers")
    assert verdict == {
        "schema": 1,
        "challenge": "trial",
        "image": "subject",
        "status": "PASS",
        "image_id": FAKE_ID,
        "tag": "subject",
        "engine": {"name": "docker", "version": "99.0"},
        "host": {"cpus": 4, "memory": 8 << 30, "gpus": 0, "cgroup": "v2"},
    }
    assert run["command"].endswith(f"{FAKE_ID} python run_inference.py")
    assert (run["profile"], run["status"], run["exit_code"], run["adapted"]) == ("organisers", "PASS", 0, [])
    assert Path(run["log"]).read_text() == "All done.\n"
    assert set(run["checks"][0]) == {"name", "status", "expected", "got", "headroom", "note"}


def test_a_host_with_gpus_hands_over_as_many_as_promised(
    trial: Trial, fake_docker: FakeDocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_GPUS", "0,1,2,3")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,3,2")
    info = {**ANSWERS["info"], "Runtimes": {"nvidia": {}, "runc": {}}}
    fake_docker.answer(info=info)
    trial.image["hardware"] = {"gpus": 2, "gpu_memory": "35g"}
    trial.image["profiles"]["organisers"].update(gpus="all", runtime="nvidia")
    assert trial.test() == 0
    assert fake_docker.run_words()[3:7] == ["--gpus", '"device=1,3"', "--runtime", "nvidia"]
    assert "--gpus '\"device=1,3\"'" in trial.verdict["runs"][0]["command"]
    assert (trial.verdict["host"]["gpus"], trial.verdict["runs"][0]["adapted"]) == (3, [])


def test_fewer_gpus_by_the_flag(trial: Trial, fake_docker: FakeDocker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_GPUS", "0,1")
    fake_docker.answer(info={**ANSWERS["info"], "Runtimes": {"nvidia": {}}})
    trial.image["hardware"] = {"gpus": 2}
    trial.image["profiles"]["organisers"]["gpus"] = "all"
    assert trial.test("--gpus=0") == 0
    assert "--gpus" not in fake_docker.run_words()
    assert trial.check("flag --gpus")["status"] == "WARN"


def test_an_engine_that_cannot_hand_over_gpus(
    trial: Trial, fake_docker: FakeDocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_GPUS", "0")
    trial.image["hardware"] = {"gpus": 1}
    trial.image["profiles"]["organisers"]["gpus"] = "all"
    assert trial.test() == 0
    assert "--gpus" not in fake_docker.run_words()
    assert "install nvidia-container-toolkit" in trial.check("flag --gpus")["note"]


def test_what_the_host_lacks_is_lowered_and_told(trial: Trial, fake_docker: FakeDocker) -> None:
    trial.image["hardware"] = {"gpus": 1}
    trial.image["profiles"]["organisers"].update(gpus="all", cpus=16, memory="16g", memory_swap="16g")
    assert trial.test() == 0
    assert fake_docker.run_words()[3:9] == ["--memory", "8192m", "--memory-swap", "8192m", "--cpus", "4"]
    assert [(one["flag"], one["used"]) for one in trial.verdict["runs"][0]["adapted"]] == [
        ("--gpus", ""),
        ("--cpus", "4"),
        ("--memory", "8192m"),
        ("--memory-swap", "8192m"),
    ]
    assert trial.check("flag --cpus") == {
        "name": "flag --cpus",
        "status": "WARN",
        "expected": "16",
        "got": "4",
        "headroom": "",
        "note": "this host has 4 CPUs",
    }
    assert "warnings to read" in trial.verdict["reason"]


def test_added_environment_is_told(trial: Trial, fake_docker: FakeDocker) -> None:
    trial.image["profiles"]["organisers"]["env"] = {"TEAM": "harbour"}
    assert trial.test("--env=REHEARSAL=1", "--env=EMPTY=") == 0
    words = fake_docker.run_words()
    assert [words[at + 1] for at, word in enumerate(words) if word == "--env"] == [
        "TEAM=harbour",
        "REHEARSAL=1",
        "EMPTY=",
    ]
    assert [one["used"] for one in trial.verdict["runs"][0]["adapted"]] == ["REHEARSAL=1", "EMPTY="]


def test_an_interrupted_training_goes_on_and_the_verdict_says_so(trial: Trial) -> None:
    trial.image["mounts"]["scratch"] = {"target": "/scratch/", "mode": "rw", "emptied": True}
    scratch = trial.folder / "scratch"
    mount = f"--mount=scratch={scratch}"
    assert trial.test(mount, "--keep-scratch") == 0
    (scratch / "checkpoint").write_text("epoch 7")
    folders.set_state(scratch, folders.RUNNING)  # as a killed run leaves it
    assert trial.test(mount, "--keep-scratch", profiles=("organisers", "strict")) == 0
    assert (scratch / "checkpoint").read_text() == "epoch 7"
    assert trial.check("scratch")["status"] == "WARN"
    assert "scratch" not in [check["name"] for check in trial.verdict["runs"][1]["checks"]]


def test_a_finished_training_begins_anew(trial: Trial) -> None:
    trial.image["mounts"]["scratch"] = {"target": "/scratch/", "mode": "rw", "emptied": True}
    scratch = trial.folder / "scratch"
    for _ in range(2):
        assert trial.test(f"--mount=scratch={scratch}", "--keep-scratch") == 0
        assert list(scratch.iterdir()) == []
        (scratch / "checkpoint").write_text("epoch 20")


def test_files_of_a_killed_run_are_opened_before_they_are_deleted(
    trial: Trial, fake_docker: FakeDocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert trial.test() == 0
    monkeypatch.setattr(folders, "_ours", lambda _: False)
    before = len(fake_docker.calls)
    assert trial.test() == 0
    runs = [call for call in fake_docker.calls[before:] if call[0] == "run"]
    opening = ["run", "--rm", "--network", "none", "--user", "0:0", "--entrypoint", "chmod"]
    assert [call[: len(opening)] == opening for call in runs] == [True, False, True]
    assert trial.check("ownership")["status"] == "WARN"
    assert "belongs to another user" in trial.check("ownership")["note"]


def test_each_profile_has_an_output_of_its_own(trial: Trial, fake_docker: FakeDocker) -> None:
    assert trial.test(profiles=("organisers", "strict")) == 0
    places = [word for call in fake_docker.calls for word in call if word.endswith(":/output/")]
    assert places[0] == f"{trial.output}:/output/"
    assert places[1].startswith(f"{trial.folder}/.output.strict-")
    assert not Path(places[1].partition(":")[0]).exists()
    assert len(list(trial.output.iterdir())) == 2


def test_strict_refuses_an_image_of_root(trial: Trial, fake_docker: FakeDocker) -> None:
    fake_docker.answer(user="")
    assert trial.test(profiles=("organisers", "strict")) == 1
    assert "Under the profile strict: the image runs as root" in trial.verdict["reason"]


def test_a_mount_by_its_manifest(trial: Trial, fake_docker: FakeDocker) -> None:
    (trial.folder / "raw").mkdir()
    manifest = trial.folder / "manifest.json"
    manifest.write_text(json.dumps({"root": str(trial.folder / "raw")}))
    assert trial.test(f"--mount=input=@{manifest}") == 0
    assert f"{trial.folder}/raw:/input/:ro" in fake_docker.run_words()


@pytest.mark.parametrize(
    ("check", "got", "words"),
    [
        ("no.such.module:check", "ModuleNotFoundError", "the output check no.such.module:check itself failed"),
        ("containers.stoic.outputs:check_nothing", "AttributeError", "check_nothing itself failed: AttributeError"),
        ("tests.bench.test_command:raising", "ZeroDivisionError", "tests.bench.test_command:raising itself failed"),
    ],
)
def test_an_output_check_that_fails_itself(trial: Trial, check: str, got: str, words: str) -> None:
    trial.image["output_check"] = check
    assert trial.test() == 1
    assert trial.check("output check")["got"] == got
    assert words in trial.verdict["reason"]


def raising(_output: Path, _input: Path) -> list[Any]:
    raise ZeroDivisionError("no cases")


def test_a_thousand_files_too_many_are_told_by_a_dozen(trial: Trial, fake_docker: FakeDocker) -> None:
    fake_docker.answer(writes={f"slice{number}.png": "" for number in range(1000)})
    assert trial.test() == 1
    assert trial.check("further output")["status"] == "FAIL"
    assert len(trial.verdict["runs"][0]["checks"]) < 30


def test_failure_is_told_and_kept_beside(trial: Trial, fake_docker: FakeDocker) -> None:
    fake_docker.answer(state={**ANSWERS["state"], "ExitCode": 3}, says="cannot go on", writes={})
    assert trial.test(f"--keep={trial.folder / 'kept.json'}") == 1
    assert "exit code 3; its last words: cannot go on" in trial.verdict["reason"]
    assert json.loads((trial.folder / "kept.json").read_text()) == trial.verdict
    assert not (trial.folder / "verdict.last.json").exists()


def test_a_mistake_of_our_own_leaves_a_verdict(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise TypeError("a mistake of ours")

    monkeypatch.setattr(command, "judge_profile", broken)
    with pytest.raises(TypeError):
        trial.test()
    assert trial.verdict["reason"] == "The test itself failed: TypeError('a mistake of ours')."


def test_time_limit_must_be_positive(trial: Trial, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        trial.test("--time-limit=0")
    assert "0 is not more than 0" in capsys.readouterr().err


@pytest.mark.parametrize("terminal", [True, False])
def test_colour_is_for_terminals(
    trial: Trial, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    assert trial.test() == 0
    printed = capsys.readouterr().out
    assert ("\033[32mPASS\033[0m" in printed) is terminal
    assert "check" in printed
    assert "headroom" in printed
