"""What STOIC's containers must have written: the artifact of training, and the two numbers of a prediction."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from containers.kit.files import sha256
from containers.kit.outputs import Finding, missing_and_extra

PROBABILITIES = ("probability-covid-19.json", "probability-severe-covid-19.json")
CARDS = ("card.json", "card.md")


def check_predict(output: Path, _input: Path) -> list[Finding]:
    """Two files of one bare JSON number each, a probability, and nothing else."""
    findings = missing_and_extra(output, set(PROBABILITIES))
    return findings + [_probability(output / name) for name in PROBABILITIES if (output / name).is_file()]


def check_train(output: Path, _input: Path) -> list[Finding]:
    """The model with its folds, each with the very bytes that model.json names, the model card, and nothing else."""
    model, finding = _mapping(output / "model.json")
    if finding:
        return [*missing_and_extra(output, {"model.json", *CARDS, *_names(output, "*.safetensors")}), finding]
    folds = model.get("folds")
    if not isinstance(folds, list) or not folds or not all(_is_fold(fold) for fold in folds):
        note = "model.json must list the folds, each with its file and sha256"
        return [Finding("model.json", "FAIL", "a list of folds", repr(folds)[:80], note)]
    findings = missing_and_extra(output, {"model.json", *CARDS, *(fold["file"] for fold in folds)})
    findings += [_weights(output / fold["file"], fold["sha256"]) for fold in folds if (output / fold["file"]).is_file()]
    if (output / "card.json").is_file():
        _, broken = _mapping(output / "card.json")
        findings += [broken] if broken else []
    if (output / "card.md").is_file() and not (output / "card.md").read_text(encoding="utf-8").strip():
        findings.append(Finding("unreadable output", "FAIL", "a text", "card.md is empty", "card.md must not be empty"))
    return findings


def _probability(path: Path) -> Finding:
    name = path.name
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        note = f"{name} cannot be read as JSON; write one bare number such as 0.25"
        return Finding("unreadable output", "FAIL", "one JSON number", f"{name}: {error}", note)
    if isinstance(value, bool) or not isinstance(value, int | float):
        note = f"{name} must hold one bare number, not {type(value).__name__}"
        return Finding("wrong output", "FAIL", "one JSON number", f"{name}: {value!r}"[:80], note)
    if not math.isfinite(value):
        note = f"{name} holds {value}: the model's result is not a number (NaN) or not finite"
        return Finding("not finite", "FAIL", "a finite number", f"{name}: {value}", note)
    if not 0 <= value <= 1:
        note = f"{name} holds {value}, which is no probability; apply the sigmoid"
        return Finding("wrong output", "FAIL", "0 to 1", f"{name}: {value}", note)
    return Finding(name, "PASS", "0 to 1", f"{value:.6g}")


def _weights(path: Path, expected: str) -> Finding:
    if path.stat().st_size == 0:
        return Finding("unreadable output", "FAIL", "weights", f"{path.name} is empty", f"{path.name} is empty")
    got = sha256(path)
    if got != expected:
        note = f"{path.name} is not the file that model.json names; it was changed or cut short after it was written"
        return Finding("wrong output", "FAIL", expected[:12], got[:12], note)
    return Finding(path.name, "PASS", expected[:12], got[:12])


def _mapping(path: Path) -> tuple[dict[str, Any], Finding | None]:
    name = path.name
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}, Finding("missing output", "FAIL", name, "not written", f"the container must write {name}")
    except (OSError, ValueError) as error:
        note = f"{name} cannot be read as JSON"
        return {}, Finding("unreadable output", "FAIL", "a JSON object", f"{name}: {error}", note)
    if not isinstance(value, dict) or not value:
        note = f"{name} must hold a JSON object with something in it"
        return {}, Finding("wrong output", "FAIL", "a JSON object", repr(value)[:80], note)
    return value, None


def _is_fold(fold: Any) -> bool:
    """A fold's file must lie in the output itself: a name with a folder in it could point anywhere."""
    return (
        isinstance(fold, dict)
        and all(isinstance(fold.get(key), str) for key in ("file", "sha256"))
        and Path(fold["file"]).name == fold["file"]
    )


def _names(folder: Path, pattern: str) -> set[str]:
    return {path.name for path in folder.glob(pattern)}
