"""docker-entrypoint.sh, run as the platform does, in a folder of small programs; no S3 here (see tests/agrigaia_s3)."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.agrigaia_config.folders import COMMON, run, write

SETUP = "from config import *\nprint('setting up')\nfinalize_config(load_config(), {'title': 'two words; $HOME'})\n"
READY = "Executing your training code in train.py::__main__"
TRAIN = f"import json, sys\nprint('{READY}')\nprint(json.dumps(sys.argv[1:]))\n"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
NO_S3 = "Error: S3 server '' did not return S3 credentials for given OIDC access token.\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """As the image has it, with one data set of one picture."""
    folder = tmp_path / "work space"
    folder.mkdir()
    for name in ("config.py", "config_to_args.py"):
        shutil.copy(COMMON / name, folder)
    write(folder, train_config={"epochs": 2, "train-split": 0.8}, presets={"output-dir": "/train"}, export_config={})
    (folder / "setup.py").write_text(SETUP)
    (folder / "train.py").write_text(TRAIN)
    (folder / "minio" / "datasets" / "1").mkdir(parents=True)
    (folder / "minio" / "datasets" / "1" / "field 1.jpg").touch()
    return folder


def start(workspace: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    known = {"AGRIGAIA_MINIO": str(workspace / "minio" / "datasets"), "DATASET_ID": "1", **environment}
    return run(workspace, "/bin/bash", COMMON / "docker-entrypoint.sh", "$@", **known)


def test_setup_then_the_configuration_then_training(workspace: Path) -> None:
    done = start(workspace)
    assert done.returncode == 0
    order = [
        "field 1.jpg",
        "Export configuration:\n{}\n",
        rf"Setup started: {TIME}\nsetting up\nSetup ended: {TIME}\n",
        r'\{\n  "epochs": 2,\n',
        rf"Training started: {TIME}\n{re.escape(READY)}\n",
    ]
    assert re.search(".*".join(order), done.stdout, re.DOTALL)
    words = ["--epochs", "2", "--output-dir", "/train", "--title", "two words; $HOME"]
    assert re.search(rf"{re.escape(json.dumps(words))}\nTraining ended: {TIME}\n$", done.stdout)
    warning = (
        "warning: no data set came from S3 (mount-s3.sh ended with status 4); "
        f"training goes on with what is in {workspace}/minio/datasets/1\n"
    )
    assert done.stderr.startswith(NO_S3 + warning)
    assert re.search(r"\nreal\t\d+m", done.stderr)


def test_a_second_start_does_the_same(workspace: Path) -> None:
    texts = []
    for _ in range(2):
        done = start(workspace)
        assert done.returncode == 0
        texts.append(re.sub(TIME, "", done.stdout))
        texts.append((workspace / "train_config.json").read_text())
    assert texts[:2] == texts[2:]


def test_without_a_data_set_nothing_starts(workspace: Path) -> None:
    for value in ("", None):
        environment = {"AGRIGAIA_MINIO": str(workspace / "minio" / "datasets")}
        if value is not None:
            environment["DATASET_ID"] = value
        done = run(workspace, "/bin/bash", COMMON / "docker-entrypoint.sh", **environment)
        assert (done.returncode, done.stdout) == (1, "")
        said = "error: DATASET_ID is not set; start the container with -e DATASET_ID=<number of the data set>\n"
        assert done.stderr == said


@pytest.mark.parametrize("name", ["../1", "a/b", "..", "."])
def test_a_data_set_lies_in_its_folder(workspace: Path, name: str) -> None:
    done = start(workspace, DATASET_ID=name)
    assert (done.returncode, done.stdout) == (1, "")
    place = workspace / "minio" / "datasets"
    assert done.stderr == f"error: DATASET_ID '{name}' is no name of a folder; give the one below {place}\n"


def test_the_first_failure_ends_it_with_its_status(workspace: Path) -> None:
    (workspace / "train.py").write_text("import sys; print('tried'); sys.exit(7)")
    done = start(workspace)
    assert done.returncode == 7
    assert "Training started: " in done.stdout
    assert done.stdout.endswith("tried\n")
    (workspace / "setup.py").write_text("import sys; sys.exit(5)")
    done = start(workspace)
    assert done.returncode == 5
    assert re.search(rf"Setup started: {TIME}\n$", done.stdout)


def test_options_that_cannot_be_made_train_nothing(workspace: Path) -> None:
    (workspace / "setup.py").write_text("open('train_config.json', 'w').write('{\"name\": \"a\\\\u0000b\"}')")
    done = start(workspace)
    assert done.returncode == 1
    assert "Training started" not in done.stdout
    assert done.stderr.splitlines()[-1].startswith("error: train_config.json has a zero byte in 'a\\x00b'")


def test_the_environment_file_is_read_and_told_without_secrets(workspace: Path) -> None:
    lines = [
        "# a comment",
        "DATASET_ID=1",
        "export GREETING='two words'\r",
        'WANDB_API_KEY="hush-1"',
        "OID_ACCESS_TOKEN=hush-2",
        "Proxy=http://me:hush-3@proxy:3128",
        "TICKET=eyJhush-4",
        "WHERE=$HOME/x",
        'CERT_PASSWORD="first',
        'hush5=hush-6"',
    ]
    (workspace / ".env").write_text("\n".join(lines))  # no line break at its end
    (workspace / "train.py").write_text("import os; print(os.environ['GREETING'], os.environ['WANDB_API_KEY'][-1])")
    done = run(
        workspace, "/bin/bash", COMMON / "docker-entrypoint.sh", AGRIGAIA_MINIO=str(workspace / "minio" / "datasets")
    )
    assert done.returncode == 0
    said = [
        ".env:",
        "  DATASET_ID='1'",
        "  GREETING='two words'",
        "  WANDB_API_KEY='***'",
        "  OID_ACCESS_TOKEN='***'",
        "  Proxy='***'",
        "  TICKET='***'",
        f"  WHERE='{workspace}/x'",
        "  CERT_PASSWORD='***'",
    ]
    assert done.stdout.splitlines()[: len(said)] == said
    assert "hush" not in done.stdout + done.stderr
    assert "two words 1\n" in done.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A=1\nNAME=two words\n", "line 2: put the value of NAME in quotes, since it has a space"),
        ("A='1\n", "is no bash (bash -n .env says where); write lines such as NAME='value'"),
    ],
)
def test_an_environment_file_that_is_wrong_is_told(workspace: Path, text: str, said: str) -> None:
    (workspace / ".env").write_text(text)
    done = start(workspace)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(rf"error: \.env,? {re.escape(said)}\n", done.stderr)


def test_an_environment_file_may_hold_what_bash_takes(workspace: Path) -> None:
    (workspace / ".env").write_text("A=1 # why\nB=(x y)\nC=$(echo a b)\nD=a\\ b\n\n")
    done = start(workspace)
    assert done.returncode == 0
    said = ["  A='1'", "  B='x'", "  C='a b'", "  D='a b'"]
    assert done.stdout.splitlines()[1:5] == said
