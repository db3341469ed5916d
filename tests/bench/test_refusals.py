"""Tests that cannot be made: one sentence each, and the verdict says the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.bench.conftest import FAKE_ID, FakeDocker, Trial
from workflow.scripts import test as command


def refused(trial: Trial, capsys: pytest.CaptureFixture[str], *more: str, **named: Any) -> str:
    """The sentence of a test that could not be made, which the verdict holds as well."""
    assert trial.test(*more, **named) == 1
    said = capsys.readouterr().err.strip().splitlines()[-1].removeprefix("error: ")
    assert trial.verdict["status"] == "FAIL"
    assert trial.verdict["reason"] == f"The test could not be made: {said}"
    assert json.loads((trial.folder / "verdict.last.json").read_text()) == trial.verdict
    return said


def test_no_engine(trial: Trial, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert "docker is not installed" in refused(trial, capsys)


def test_an_engine_that_refuses_us(trial: Trial, fake_docker: FakeDocker, capsys: pytest.CaptureFixture[str]) -> None:
    fake_docker.answer(denied=True)
    assert "usermod -aG docker" in refused(trial, capsys, "--engine=docker")


def test_an_image_that_is_gone(trial: Trial, fake_docker: FakeDocker, capsys: pytest.CaptureFixture[str]) -> None:
    fake_docker.answer(image_id="")
    sentence = f"docker has no image subject ({FAKE_ID}) any more; build it again: snakemake "
    said = refused(trial, capsys)
    assert said.startswith(sentence)
    assert "_image --forcerun " in said
    assert not any(call[0] == "run" for call in fake_docker.calls)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("--mount=scratsh=/x", "--mount scratsh=...: the contract of subject mounts input, output"),
        ("--mount=input", "--mount input: write it as NAME=VALUE"),
        ("--mount=input=/no/such/folder", "--mount input: there is no folder /no/such/folder"),
        ("--mount=input=@/no/such/manifest.json", "/no/such/manifest.json is not there"),
        ("--env=A", "--env A: write it as NAME=VALUE"),
        ("--profile=strickt", "image 'subject' has no profile 'strickt'; did you mean 'strict'?"),
        ("--image=subjekt", "has no image 'subjekt'; did you mean 'subject'?"),
        ("--record=/no/such/image.json", "/no/such/image.json is not there"),
    ],
)
def test_mistakes_on_the_command_line(
    trial: Trial, capsys: pytest.CaptureFixture[str], more: str, sentence: str
) -> None:
    assert sentence in refused(trial, capsys, more)


def test_a_missing_mount(trial: Trial, capsys: pytest.CaptureFixture[str]) -> None:
    trial.image["mounts"]["scratch"] = {"target": "/scratch/", "mode": "rw"}
    assert refused(trial, capsys) == "--mount scratch=FOLDER is missing; the container expects it at /scratch/"


def test_an_output_folder_of_the_users(
    trial: Trial, fake_docker: FakeDocker, capsys: pytest.CaptureFixture[str]
) -> None:
    trial.output.mkdir()
    (trial.output / "thesis.tex").write_text("precious")
    assert "was not made by Slipway" in refused(trial, capsys)
    assert (trial.output / "thesis.tex").read_text() == "precious"
    assert not any(call[0] == "run" for call in fake_docker.calls)


def test_a_record_of_another_image(trial: Trial, capsys: pytest.CaptureFixture[str]) -> None:
    words = trial.words()
    record = trial.folder / "image.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "image": "other"}))
    assert command.main(words) == 1
    assert "is about the image other, not about subject" in capsys.readouterr().err
    record.write_text("{}")
    assert command.main(words) == 1
    assert "has no 'challenge'; build the image again" in capsys.readouterr().err
