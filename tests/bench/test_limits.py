"""Flags that some engines refuse: the run goes on without them, and the verdict says so."""

from __future__ import annotations

import pytest

from tests.bench.conftest import FakeDocker, Trial
from workflow.scripts.slipway.engine import Engine
from workflow.scripts.slipway.flags import Flags
from workflow.scripts.slipway.limits import fitted

LIMITS = ["memlock=-1", "stack=67108864"]


def limits_of(call: list[str]) -> list[str]:
    return [call[at + 1] for at, word in enumerate(call) if word == "--ulimit"]


def test_a_limit_that_the_engine_may_not_raise_is_left_out_and_told(trial: Trial, fake_docker: FakeDocker) -> None:
    trial.image["profiles"]["organisers"]["ulimits"] = LIMITS
    fake_docker.answer(refused_limits=["memlock=-1"])
    assert trial.test() == 0
    runs = [call for call in fake_docker.calls if call[0] == "run"]
    assert [limits_of(call) for call in runs] == [LIMITS, LIMITS[:1], LIMITS[1:], LIMITS[1:]]
    assert all(call[-3:-1] == ["--entrypoint", "true"] for call in runs[:3])
    assert trial.verdict["runs"][0]["adapted"] == [
        {
            "flag": "--ulimit",
            "used": "",
            "why": "this engine may not raise memlock; the container has the engine's own limit instead",
        }
    ]
    assert (trial.check("flag --ulimit")["status"], trial.check("flag --ulimit")["expected"]) == ("WARN", "memlock=-1")


def test_limits_that_are_taken_cost_one_question(trial: Trial, fake_docker: FakeDocker) -> None:
    trial.image["profiles"]["organisers"]["ulimits"] = LIMITS
    assert trial.test() == 0
    assert [limits_of(call) for call in fake_docker.calls if call[0] == "run"] == [LIMITS, LIMITS]
    assert trial.verdict["runs"][0]["adapted"] == []


def test_without_limits_nothing_is_asked(trial: Trial, fake_docker: FakeDocker) -> None:
    assert trial.test() == 0
    assert len([call for call in fake_docker.calls if call[0] == "run"]) == 1


def test_podman_does_not_take_the_size_beside_the_hosts_memory() -> None:
    flags = Flags(ipc="host", shm_size="8g")
    used, changes = fitted(Engine("podman", ("podman",), "5"), "sha256:1", flags)
    assert used == Flags(ipc="host")
    assert [(change.flag, change.asked, change.used) for change in changes] == [("--shm-size", "8g", "")]
    assert fitted(Engine("docker", ("docker",), "28"), "sha256:1", flags) == (flags, [])


@pytest.mark.engine
def test_the_platforms_flags_run_here_whatever_this_engine_may(real: Trial, engine: Engine) -> None:
    """The engine that `./slipway engine` starts in a container may not raise memlock; a host's own may."""
    organisers = real.image["profiles"]["organisers"]
    organisers.update(ulimits=LIMITS, ipc="host", shm_size="1m")
    organisers.pop("network")
    assert real.test() == 0
    used, _ = fitted(engine, real.image_id, Flags(ulimits=tuple(LIMITS)))
    assert "stack=67108864" in used.ulimits
    assert limits_of(real.verdict["runs"][0]["command"].split()) == list(used.ulimits)
    assert "--network" not in real.verdict["runs"][0]["command"]
    shared = [check for check in real.verdict["runs"][0]["checks"] if check["name"] == "shared memory"]
    assert [(check["status"], check["expected"]) for check in shared] == [("PASS", "at least 1m")]


@pytest.mark.engine
def test_a_limit_that_no_engine_knows_is_the_contracts_mistake(real: Trial) -> None:
    real.image["profiles"]["organisers"]["ulimits"] = ["nonsense=1"]
    assert real.test() == 1
    assert "invalid ulimit type: nonsense" in real.verdict["reason"]
