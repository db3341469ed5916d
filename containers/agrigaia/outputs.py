"""What the train container must have left in /train: a model of a kind that the platform takes, whole and usable."""

from __future__ import annotations

from pathlib import Path

from containers.agrigaia import models
from containers.agrigaia.suffixes import ONNX, PICKLED, SCRIPTED, SUFFIXES
from containers.kit.errors import UserError
from containers.kit.outputs import Finding

PART = ".part"


def check(output: Path, _source: Path) -> list[Finding]:
    """Look at every model that is there: custom.json, which says where the platform looks, stays in the template."""
    there = sorted(path for path in output.rglob("*") if not path.is_dir() or path.is_symlink())
    files = [path for path in there if path.suffix in SUFFIXES]
    findings = [_broken_off(path, output) for path in there if path.name.endswith(PART)]
    if not files:
        note = f"the container left no model in its output folder; train.py must write one ending with {_listed()}"
        return [*findings, Finding("model file", "FAIL", "a model", "none", note)]
    each = [finding for path in files for finding in _model(path, path.relative_to(output))]
    if not any(finding.status == "FAIL" for finding in each):
        each = _taken(files, output) + each
    return findings + each


def _taken(files: list[Path], output: Path) -> list[Finding]:
    """Which files the platform would take: of the same name with several endings it prefers ONNX."""
    stems = {path.with_suffix("") for path in files}
    found = []
    for stem in sorted(stems):
        names = [str(path.relative_to(output)) for path in files if path.with_suffix("") == stem]
        onnx = str(stem.with_suffix(ONNX).relative_to(output))
        got = f"{onnx}, rather than {' and '.join(name for name in names if name != onnx)}"
        found.append(Finding("model file", "PASS", "a model", got if onnx in names and len(names) > 1 else names[0]))
    return found


def _model(path: Path, name: Path) -> list[Finding]:
    """What is wrong with one file; nothing where all is well."""
    if path.is_symlink():
        note = f"{name} is a link, and what it names may not be there on the platform; write the file itself"
        return [Finding("model is a link", "FAIL", "a file", str(name), note)]
    if not path.stat().st_size:
        note = f"{name} is empty; the training must write the model, and only when it is whole"
        return [Finding("empty model", "FAIL", "a model", f"{name}: 0 bytes", note)]
    try:
        if path.suffix == ONNX:
            models.answers(path)
        elif path.suffix == SCRIPTED:
            models.scripted(path)
        elif path.suffix in PICKLED:
            models.pickled(path)
    except UserError as error:
        note = f"{name} {error}"
        return [Finding("unusable model", "FAIL", "it loads, and its numbers are finite", str(name), note)]
    return []


def _broken_off(path: Path, output: Path) -> Finding:
    name = str(path.relative_to(output))
    note = f"{name} is half-written; give a file its name when it is whole, and remove what a broken write left"
    return Finding("half-written output", "FAIL", f"no {PART} file", name, note)


def _listed() -> str:
    return f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
