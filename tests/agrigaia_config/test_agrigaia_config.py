"""config.py: what the user chose, completed with presets and with what setup found out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.agrigaia_config.folders import COMMON, run, write

FINALIZE = "from config import *; import json, sys; finalize_config(load_config(), **json.loads(sys.argv[1]))"
CHOSEN = {"epochs": 50, "learning-rate": 0.001, "train-split": 0.8, "output-dir": "mine"}
PRESETS = {"output-dir": "/train", "images-dir": "/datasets/images", "labels-dir": "/datasets/labels"}


def finalize(folder: Path, **custom: Any) -> subprocess.CompletedProcess[str]:
    return run(folder, "python", "-c", FINALIZE, json.dumps(custom))


def written(folder: Path) -> Any:
    return json.loads((folder / "train_config.json").read_text(encoding="utf-8"))


def test_presets_win_over_the_user_and_custom_values_over_both(tmp_path: Path) -> None:
    write(tmp_path, train_config=CHOSEN, presets=PRESETS)
    assert (
        finalize(tmp_path, custom={"labels-dir": "/elsewhere", "classes": ["Wheat ear", "Zuckerrübe"]}).returncode == 0
    )
    assert written(tmp_path) == {
        "epochs": 50,
        "learning-rate": 0.001,
        "train-split": 0.8,
        "output-dir": "/train",
        "images-dir": "/datasets/images",
        "labels-dir": "/elsewhere",
        "classes": ["Wheat ear", "Zuckerrübe"],
    }
    assert (tmp_path / "train_config.json").read_text().startswith('{\n    "epochs": 50,\n')


def test_a_second_start_changes_no_byte(tmp_path: Path) -> None:
    write(tmp_path, train_config=CHOSEN, presets=PRESETS)
    (tmp_path / "train_config.json").chmod(0o640)
    finalize(tmp_path)
    first = (tmp_path / "train_config.json").read_bytes()
    assert finalize(tmp_path).returncode == 0
    assert (tmp_path / "train_config.json").read_bytes() == first
    assert (tmp_path / "train_config.json").stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["presets.json", "train_config.json"]


def test_a_value_that_json_lacks_is_named_and_the_file_stays(tmp_path: Path) -> None:
    write(tmp_path, train_config=CHOSEN, presets=PRESETS)
    code = "from config import *; finalize_config(load_config(), {'mean': float('nan')})"
    done = run(tmp_path, "python", "-c", code)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: train_config.json cannot hold mean (")
    assert done.stderr.count("\n") == 1
    assert written(tmp_path) == CHOSEN


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"presets": {}}, "train_config.json is not there in {folder}; put it beside train.py; the platform writes it"),
        ({"train_config": CHOSEN}, "presets.json is not there in {folder}; put it beside train.py; it ships with"),
        (
            {"train_config": '{"epochs": 5', "presets": {}},
            "train_config.json is not readable as JSON (Expecting ',' de",
        ),
        ({"train_config": [1], "presets": {}}, "train_config.json holds no object; write its keys and values between"),
    ],
)
def test_a_file_that_is_wrong_is_told_in_one_sentence(tmp_path: Path, files: dict[str, Any], said: str) -> None:
    write(tmp_path, **files)
    done = finalize(tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {said.format(folder=tmp_path)}")
    assert done.stderr.count("\n") == 1


def test_the_file_is_whole_at_any_moment(tmp_path: Path) -> None:
    write(tmp_path, train_config=CHOSEN, presets={**PRESETS, "long": "x" * 2_000_000})
    path = tmp_path / "train_config.json"
    code = "from config import *\nfor _ in range(20): finalize_config(load_config())"
    known = {**os.environ, "PYTHONPATH": str(COMMON)}
    with subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, env=known) as process:
        while process.poll() is None:
            assert written(tmp_path)["epochs"] == 50
    assert process.returncode == 0
    assert path.stat().st_size > 2_000_000


def test_a_file_that_docker_mounts_is_rewritten_in_place(tmp_path: Path) -> None:
    """`-v $(pwd)/train_config.json:/workspace/train_config.json`; the mount is one of this process' own."""
    write(tmp_path, train_config=CHOSEN, presets=PRESETS, outside={"epochs": 7})
    script = f"mount --bind outside.json train_config.json && python -c '{FINALIZE}' '{{}}'"
    done = run(tmp_path, "unshare", "--mount", "bash", "-c", script)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads((tmp_path / "outside.json").read_text()) == {"epochs": 7, **PRESETS}
    assert written(tmp_path) == CHOSEN
    assert not list(tmp_path.glob(".*"))
