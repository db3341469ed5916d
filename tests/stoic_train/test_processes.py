"""Real processes: killed with SIGKILL and started again; two that train together."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from containers.kit.errors import UserError
from containers.kit.files import read_json
from containers.stoic import train
from containers.stoic.job import Job
from tests.stoic_train.synthetic import NO_CHANGE, make_job, settings

ROOT = Path(__file__).parents[2]


def run(job: Job, options: Mapping[str, object], kill_at: int = -1) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "containers.stoic.train", "--settings", json.dumps(settings(**options))]
    command += ["--reference", str(job.reference), "--cases", str(job.preprocessed), "--revision", "abc123"]
    command += ["--scratch", str(job.scratch), "--artifact", str(job.artifact)]
    environment = os.environ | {"TEST_KILL_AT_STEP": str(kill_at), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)


def timeless(job: Job, fold: int) -> list[dict[str, object]]:
    rows = read_json(job.fold(fold).folder / "history.json")["rows"]
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def test_killed_twice_it_ends_with_equal_weights(data: Path, tmp_path: Path) -> None:
    """Once within an epoch, once later, both by SIGKILL in the middle of a step."""
    options = {"epochs": 4, "batch": 2}
    straight = make_job(data, tmp_path / "straight", **options)
    killed = make_job(data, tmp_path / "killed", **options)
    train.learn(straight)
    for kill_at in (3, 12):  # of 20 steps a fold; each start counts its own
        done = run(killed, options, kill_at)
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert killed.fold(0).checkpoint.is_file()
    done = run(killed, options)
    assert done.returncode == 0, done.stderr
    for fold in range(2):
        a, b = (load_file(job.artifact / f"fold{fold}.safetensors") for job in (straight, killed))
        assert a.keys() == b.keys()
        assert all(torch.equal(a[name], b[name]) for name in a)
        assert timeless(killed, fold) == timeless(straight, fold)
    assert {path.name: path.read_bytes() for path in killed.artifact.iterdir()} == {
        path.name: path.read_bytes() for path in straight.artifact.iterdir()
    }
    assert len((killed.logs / "metrics.csv").read_text().splitlines()) == 1 + 2 * 4


def test_two_processes_learn_what_one_learns(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same global batch, so the same weights but for rounding; noise is left out, it is drawn case by case."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(ROOT)
    options = {
        "model": "tests.stoic_train.nets:Steady",
        "only_folds": [0],
        "severity_cases": "positives",
        "augment": NO_CHANGE | {"flip": True, "shift": 2},
    }
    one = make_job(data, tmp_path / "one", batch=4, processes=1, **options)
    two = make_job(data, tmp_path / "two", batch=2, processes=2, **options)
    train.learn(one)
    train.learn(two)
    a, b = (load_file(job.artifact / "fold0.safetensors") for job in (one, two))
    assert a.keys() == b.keys()
    for name in a:
        assert torch.allclose(a[name], b[name], atol=1e-5), name
    for left, right in zip(timeless(one, 0), timeless(two, 0), strict=True):
        assert left == pytest.approx(right, abs=1e-5)
    assert two.fold(0).history()[1], "finished"


def test_a_process_that_fails_fails_the_training(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(ROOT)
    job = make_job(data, tmp_path, model="tests.stoic_train.nets:Exploding", processes=2)
    with pytest.raises(UserError, match=r"one of the 2 training processes failed \(exit 1\); its reason is above"):
        train.learn(job)
    assert "error: fold 0: the loss is nan in epoch 1; lower train.lr" in capfd.readouterr().err
