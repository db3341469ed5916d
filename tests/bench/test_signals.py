"""Requests to stop: raised, so that what was begun is undone, and held while that is not yet known."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import Any

import pytest

from tests.bench.conftest import FakeDocker, Trial
from workflow.scripts.slipway import run, signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_is_held_to_the_end_of_the_block(number: signal.Signals) -> None:
    reached = []

    def interrupted() -> None:
        with signals.raised(), signals.held():
            os.kill(os.getpid(), number)
            reached.append("the end of the block")

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert reached == ["the end of the block"]


def test_handlers_are_as_before() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, *signals.ASKED)}
    with signals.raised(), signals.held():
        assert signal.getsignal(signal.SIGTERM) != before[signal.SIGTERM]
    assert {number: signal.getsignal(number) for number in before} == before


def test_a_client_that_was_just_started_is_ended_too(
    trial: Trial, fake_docker: FakeDocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients: list[subprocess.Popen[bytes]] = []
    real = run._client

    def stopped_at_once(command: list[str]) -> subprocess.Popen[bytes]:
        assert command[:2] == ["docker", "run"]
        clients.append(real(["sleep", "60"]))
        os.kill(os.getpid(), signal.SIGTERM)
        return clients[-1]

    monkeypatch.setattr(run, "_client", stopped_at_once)
    monkeypatch.setattr(run, "GRACE", 1.0)
    assert trial.test() == 1
    assert clients[0].wait(5) != 0
    removed: list[Any] = [call for call in fake_docker.calls if call[:2] == ["rm", "--force"]]
    assert removed
    assert trial.verdict["reason"] == "The test was stopped before its end."
