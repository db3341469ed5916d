"""STOIC's output checks."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from containers.kit.outputs import Finding
from containers.stoic.outputs import check_predict, check_train

COVID, SEVERE = "probability-covid-19.json", "probability-severe-covid-19.json"


def failed(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.name, finding.note) for finding in findings if finding.status == "FAIL"]


@pytest.mark.parametrize("value", ["0.25", "0", "1", "1e-9"])
def test_two_probabilities_pass(tmp_path: Path, value: str) -> None:
    (tmp_path / COVID).write_text(value)
    (tmp_path / SEVERE).write_text("0.5")
    assert failed(check_predict(tmp_path, tmp_path)) == []


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("true", "wrong output", "one bare number, not bool"),
        ('"0.5"', "wrong output", "not str"),
        ('{"p": 0.5}', "wrong output", "not dict"),
        ("1.5", "wrong output", "no probability; apply the sigmoid"),
        ("-0.1", "wrong output", "no probability"),
        ("NaN", "not finite", "not a number (NaN)"),
        ("Infinity", "not finite", "holds inf"),
        ("", "unreadable output", "cannot be read as JSON"),
        ("\xff", "unreadable output", "cannot be read as JSON"),
    ],
)
def test_what_is_no_probability(tmp_path: Path, text: str, name: str, words: str) -> None:
    (tmp_path / COVID).write_text("0.5")
    (tmp_path / SEVERE).write_bytes(text.encode("latin-1"))
    [(found, note)] = failed(check_predict(tmp_path, tmp_path))
    assert found == name
    assert note.startswith(SEVERE)
    assert words in note


def test_missing_and_extra_files(tmp_path: Path) -> None:
    (tmp_path / COVID).write_text("0.5")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "heat.png").write_text("")
    assert [name for name, _ in failed(check_predict(tmp_path, tmp_path))] == ["missing output", "extra output"]


def artifact(folder: Path, **model: Any) -> None:
    weights = b"weights of a fold"
    (folder / "fold0.safetensors").write_bytes(weights)
    folds = [{"fold": 0, "file": "fold0.safetensors", "sha256": hashlib.sha256(weights).hexdigest()}]
    (folder / "model.json").write_text(json.dumps({"folds": folds, **model}))
    (folder / "card.json").write_text('{"metrics": {}}')
    (folder / "card.md").write_text("# Card\n")


def test_a_whole_artifact_passes(tmp_path: Path) -> None:
    artifact(tmp_path)
    assert failed(check_train(tmp_path, tmp_path)) == []


@pytest.mark.parametrize(
    ("file", "content", "name"),
    [
        ("fold0.safetensors", "cut", "wrong output"),
        ("fold0.safetensors", "", "unreadable output"),
        ("fold0.safetensors", None, "missing output"),
        ("card.json", "{", "unreadable output"),
        ("card.json", None, "missing output"),
        ("card.md", " \n", "unreadable output"),
        ("model.json", None, "missing output"),
        ("model.json", "[]", "wrong output"),
        ("optimizer.pt", "left behind", "extra output"),
    ],
)
def test_a_broken_artifact(tmp_path: Path, file: str, content: str | None, name: str) -> None:
    artifact(tmp_path)
    if content is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_text(content)
    found = failed(check_train(tmp_path, tmp_path))
    assert name in [one for one, _ in found]
    assert all(file in note for one, note in found if one == name)


@pytest.mark.parametrize("folds", [[], None, ["fold0.safetensors"], [{"file": "../secret", "sha256": "0"}]])
def test_folds_that_cannot_be_followed(tmp_path: Path, folds: Any) -> None:
    artifact(tmp_path, folds=folds)
    assert failed(check_train(tmp_path, tmp_path)) == [
        ("model.json", "model.json must list the folds, each with its file and sha256")
    ]
