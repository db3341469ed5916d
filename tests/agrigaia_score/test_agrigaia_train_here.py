"""The template's programs on this host: where they work, what is kept, and how they end."""

from __future__ import annotations

import re
import signal
import time
from pathlib import Path

import pytest

from tests.agrigaia_score import left, templates
from tests.agrigaia_score.templates import TRAIN, host
from tests.processes import send_when, start

NUMBER = re.compile(r"^waits (\d+)$", re.MULTILINE)
MODULE = "workflow.scripts.agrigaia.train_here"
WAITS = f"""{TRAIN}
import os, time
if not (out / "go").exists():
    print("waits", os.getpid(), flush=True)
    time.sleep(600)
"""


def test_both_programs_run_and_what_they_made_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = host(tmp_path)
    assert one.train() == 0
    said = ["pictures: 2 1 two words", "begins after 0 of 3; it's a name", "epoch 1", "epoch 2", "epoch 3"]
    told = capsys.readouterr().out.splitlines()
    assert told == [*said, f"{one.artifact}: net.pt, trained on this host"]
    assert sorted(path.name for path in one.artifact.iterdir()) == ["card.json", "net.pt", "train.log"]
    assert (one.artifact / "train.log").read_text().splitlines() == said
    assert (one.artifact / "net.pt").read_bytes() == b"weights"
    card = one.card
    assert card["metrics"] == {}
    assert card["data"] == {"cases": 2, "fingerprint": "f" * 16}
    assert card["config"]["train"] == {"epochs": 3, "name": "it's a name"}
    assert card["notes"][-1].startswith("Trained by the template's setup.py and train.py on this host")
    config = (one.template / "train_config.json").read_text()
    assert "output-dir" not in config  # the template stays as it is


def test_another_text_in_a_readme_or_export_goes_on_and_other_options_begin_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = host(tmp_path)
    assert one.train() == 0
    left.write(one.template / "README.md", "other words")
    left.write(one.template / "export_config.json", {})
    capsys.readouterr()
    assert one.train() == 0
    assert "begins after 3 of 3; it's a name\n" in capsys.readouterr().out
    assert (one.work / "workspace" / "README.md").read_text() == "other words"
    left.write(one.template / "train_config.json", {"epochs": 2, "name": "x"})
    assert one.train() == 0
    assert "begins after 0 of 2; x\n" in capsys.readouterr().out


def waiting(log: Path) -> bool:
    return bool(NUMBER.search(log.read_text()))


def ended(log: Path, seconds: float = 30) -> bool:
    """Whether the program that waited has gone, which has a session of its own."""
    found = NUMBER.search(log.read_text())
    assert found
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if " Z " in Path(f"/proc/{found[1]}/stat").read_text():
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False


def test_a_stop_ends_the_programs_and_the_next_run_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, log = host(tmp_path, train=WAITS), tmp_path / "log"
    process = start(MODULE, one.words, log)
    assert send_when(process, lambda: waiting(log), signal.SIGTERM, log) == 1
    said = "error: the training was stopped before its end; run it again, and it goes on from there"
    assert log.read_text().splitlines()[-1] == said
    assert ended(log)
    assert not one.artifact.exists()
    left.write(one.work / "train" / "go", "")
    assert one.train() == 0
    assert "begins after 3 of 3" in capsys.readouterr().out


def test_a_kill_ends_the_programs_too(tmp_path: Path) -> None:
    one, log = host(tmp_path, train=WAITS), tmp_path / "log"
    process = start(MODULE, one.words, log)
    assert send_when(process, lambda: waiting(log), signal.SIGKILL, log) == -signal.SIGKILL
    assert ended(log)


@pytest.mark.parametrize(
    ("program", "text", "said"),
    [
        (
            "setup",
            "raise SystemExit('error: no labels; draw some')",
            "setup.py ended with status 1 and said: no labels;",
        ),
        ("train", "print('one')\n1 / 0", "train.py ended with status 1 and said: ZeroDivisionError: division by zero"),
        ("config_to_args", "raise SystemExit('error: odd')", "train.py ended with status 1 and said: odd"),
        ("train", "import os; os.kill(os.getpid(), 9)", "train.py ended with signal SIGKILL and said: nothing"),
        ("train", "", "train.py ended well and left no best/net.pt in output-dir; let it write what custom.json names"),
        ("setup", "", "setup.py leaves output-dir at None; let it take the value of AGRIGAIA_TRAIN, as arrange.places"),
    ],
)
def test_a_program_that_fails_is_told_in_a_sentence(
    tmp_path: Path, program: str, text: str, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    one = host(tmp_path, **{program: text})
    assert one.train() == 1
    err = capfd.readouterr().err
    assert err.startswith(f"error: {said}")
    assert err.count("\n") == 1
    assert not one.artifact.exists()


def faults(one: templates.Host, kind: str) -> str:
    if kind == "no template":
        (one.template / "train.py").unlink()
        return f"--template {one.template} has no setup.py and train.py; run the rule that writes the template"
    if kind == "no custom":
        (one.template / "custom.json").unlink()
        return f"{one.template}/custom.json is not there; run the rule that makes it"
    if kind == "model elsewhere":
        left.write(one.template / "custom.json", {"model_filepath": "/model.pt"})
        return (
            f"{one.template}/custom.json has model_filepath /model.pt, which is not in presets.json's output-dir /train"
        )
    if kind == "out of it":
        left.write(one.template / "custom.json", {"model_filepath": "/train/../model.pt"})
        return f"{one.template}/custom.json has model_filepath /train/../model.pt, which is not in presets.json's"
    left.write(one.folder / "manifest.json", left.manifest(one.folder / "gone"))
    return f"{one.folder}/gone is not there any more; fetch the data again"


@pytest.mark.parametrize("kind", ["no template", "no custom", "model elsewhere", "out of it", "no data"])
def test_what_does_not_fit_is_one_sentence(tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    one = host(tmp_path)
    said = faults(one, kind)
    assert one.train() == 1
    err = capsys.readouterr().err
    assert err.startswith(f"error: {said}")
    assert err.count("\n") == 1


def test_no_threads_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert host(tmp_path).train("--threads", "0") == 1
    assert capsys.readouterr().err == "error: --threads 0 is none; give it 1 or more\n"
