"""config_to_args.py: the options that train.py gets through the entrypoint's `eval`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agrigaia_config.folders import COMMON, run, write

TELL = "import json, sys; print(json.dumps(sys.argv[1:]))"
EVAL = f"eval \"python -c '{TELL}' $(python {COMMON}/config_to_args.py)\""

CASES: list[tuple[Any, list[str]]] = [
    (50, ["--key", "50"]),
    (0, ["--key", "0"]),
    (0.001, ["--key", "0.001"]),
    (1e-05, ["--key", "1e-05"]),
    (None, []),
    ("", []),
    (False, []),
    (True, ["--key"]),
    ([], []),
    ([1, "two words", 0.5, ""], ["--key", "1", "two words", "0.5", ""]),
    (["--key", "x"], ["--key", "--key", "x"]),
    ("AdamW", ["--key", "AdamW"]),
    ("two words", ["--key", "two words"]),
    ('it\'s "so"', ["--key", 'it\'s "so"']),
    ("$HOME `id` $(id) \\n !!", ["--key", "$HOME `id` $(id) \\n !!"]),
    ("; touch broken #", ["--key", "; touch broken #"]),
    ("*", ["--key", "*"]),
    ("a\nb\t'c'\\\r\n", ["--key", "a\nb\t'c'\\\r\n"]),
    ("\n", ["--key", "\n"]),
    ("Zuckerrübe 🌱", ["--key", "Zuckerrübe 🌱"]),
    ("-x", ["--key=-x"]),
    (-1e-05, ["--key=-1e-05"]),
    ({"a b": [1]}, ["--key", '{"a b": [1]}']),
]


def given_back(folder: Path) -> list[str]:
    done = run(folder, "bash", "-c", EVAL)
    assert (done.returncode, done.stderr) == (0, "")
    words: list[str] = json.loads(done.stdout)
    return words


@pytest.mark.parametrize(("value", "words"), CASES)
def test_a_value_comes_through_whole(tmp_path: Path, value: Any, words: list[str]) -> None:
    write(tmp_path, train_config={"key": value})
    assert given_back(tmp_path) == words
    line = run(tmp_path, "python", COMMON / "config_to_args.py").stdout
    assert line.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["train_config.json"]


def test_keys_keep_their_order_and_their_form_and_the_split_stays_with_setup(tmp_path: Path) -> None:
    config = {"lr-scheduler": "cosine", "train-split": 0.8, "exist_ok": True, "test-split": 0.2, "odd; key": 1}
    write(tmp_path, train_config=config)
    assert given_back(tmp_path) == ["--lr-scheduler", "cosine", "--exist_ok", "--odd; key", "1"]


def test_argparse_takes_a_value_that_looks_like_an_option(tmp_path: Path) -> None:
    write(tmp_path, train_config={"bias": -1e-05, "name": "--epochs"})
    lines = ["import argparse", "parser = argparse.ArgumentParser()"]
    lines += [
        "parser.add_argument('--bias', type=float)",
        "parser.add_argument('--name')",
        "print(parser.parse_args())",
    ]
    (tmp_path / "train.py").write_text("\n".join(lines))
    done = run(tmp_path, "bash", "-c", f'eval "python train.py $(python {COMMON}/config_to_args.py)"')
    assert done.stdout == "Namespace(bias=-1e-05, name='--epochs')\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '{"a": "x\\u0000y"}',
            "error: train_config.json has a zero byte in 'x\\x00y', which no program can be given; ",
        ),
        ('{"a": "\\ud83c"}', "error: train_config.json has half a character in '\\ud83c'; write it whole"),
    ],
)
def test_what_no_program_can_be_given_is_told(tmp_path: Path, text: str, said: str) -> None:
    write(tmp_path, train_config=text)
    done = run(tmp_path, "python", COMMON / "config_to_args.py")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == 1


@settings(max_examples=15, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1), min_size=1))
def test_any_words_come_through_bash(words: list[str]) -> None:
    code = "import json, sys; from config_to_args import quote; print(*map(quote, json.load(sys.stdin)))"
    known = {**os.environ, "PYTHONPATH": str(COMMON), "PYTHONUTF8": "1"}
    quoted = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(words).encode(), env=known, capture_output=True, check=True
    ).stdout.decode()
    assert not set(quoted[:-1]) & set("\n\r\t")
    done = subprocess.run(["bash", "-c", f"printf '%s\\0' {quoted}"], capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1] == words
