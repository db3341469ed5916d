"""Preprocessing is never done twice, whatever killed it, and what is broken is told together."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from containers.kit.errors import UserError
from containers.kit.files import write_json
from containers.stoic.data import load_cases
from containers.stoic.preprocess import (
    Outcome,
    Source,
    geometry,
    main,
    prepare,
    preprocess,
    sources,
)
from containers.stoic.settings import Preprocess
from tests.stoic_data.images import data_set, noise, write
from workflow.scripts.stoic.fetch import manifest

ROOT = Path(__file__).parents[2]
SMALL = Preprocess(size=(12, 10, 10), workers=1)
LABELS = {7: (0, 0), 12: (1, 0), 30: (1, 1), 101: (0, 0), 5000: (1, 0)}


def state(folder: Path) -> dict[str, tuple[int, int]]:
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.iterdir()}


def test_a_second_run_touches_nothing(tmp_path: Path) -> None:
    root = data_set(tmp_path / "input", LABELS)
    first = preprocess(sources(root), SMALL, tmp_path / "cases")
    before = state(tmp_path / "cases")
    second = preprocess(sources(root), SMALL, tmp_path / "cases")
    assert first == Outcome(tuple(LABELS), ())
    assert second == Outcome((), tuple(LABELS))
    assert state(tmp_path / "cases") == before


def test_only_what_changed_is_made_again(tmp_path: Path) -> None:
    root = data_set(tmp_path / "input", LABELS)
    cases = tmp_path / "cases"
    preprocess(sources(root), SMALL, cases)
    (cases / "7.json").unlink()  # killed between the two files
    (cases / ".7.left.npy").write_bytes(b"killed in the middle of a file")
    (cases / "12.json").write_text('{"id": 12, "sett')
    (cases / "30.npy").unlink()
    write(root / "data/mha/101.mha", noise((9, 9, 9), 3))
    outcome = preprocess(sources(root), SMALL, cases)
    assert outcome == Outcome((7, 12, 30, 101), (5000,))
    assert sorted(path.name for path in cases.iterdir()) == sorted(f"{c}.{s}" for c in LABELS for s in ("json", "npy"))
    changed, _ = prepare(root / "data/mha/101.mha", SMALL)
    np.testing.assert_allclose(np.load(cases / "101.npy"), changed, atol=5e-4)


def test_other_geometry_makes_all_again_and_other_workers_none(tmp_path: Path) -> None:
    root = data_set(tmp_path / "input", LABELS)
    preprocess(sources(root), SMALL, tmp_path / "cases")
    assert preprocess(sources(root), Preprocess(size=(12, 10, 10), workers=2), tmp_path / "cases").made == ()
    for other in (
        Preprocess(size=(12, 10, 11), workers=1),
        Preprocess(size=(12, 10, 10), spacing=2.0, workers=1),
        Preprocess(size=(12, 10, 10), window=(-1000.0, 300.0), workers=1),
        Preprocess(size=(12, 10, 10), organisers_padding=True, workers=1),
    ):
        assert geometry(other) != geometry(SMALL)
        assert preprocess(sources(root), other, tmp_path / "cases").made == tuple(LABELS)


def test_broken_cases_are_named_together_and_the_others_are_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = data_set(tmp_path / "input", LABELS)
    write_json(tmp_path / "manifest.json", manifest("folder", root))
    image = root / "data/mha/12.mha"
    content = bytearray(image.read_bytes())
    content[-20] ^= 0xFF
    image.write_bytes(content)
    (root / "data/mha/30.mha").unlink()
    arguments = ["--manifest", str(tmp_path / "manifest.json"), "--settings", '{"size": [12, 10, 10]}']
    arguments += ["--workers", "2", "--cases", str(tmp_path / "cases"), "--output", str(tmp_path / "shard.json")]
    assert main(arguments) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: 2 of 5 cases cannot be preprocessed: ")
    assert f"{root}/data/mha/30.mha is not there" in error
    assert f"{root}/data/mha/12.mha is damaged" in error
    assert not (tmp_path / "shard.json").exists()
    made = sorted(f"{case}.{suffix}" for case in (7, 101, 5000) for suffix in ("json", "npy"))
    assert sorted(path.name for path in (tmp_path / "cases").iterdir()) == made


def test_killed_in_the_middle_it_goes_on_where_it_was(tmp_path: Path) -> None:
    labels = {case: (case % 2, 0) for case in range(1, 25)}
    root = data_set(tmp_path / "input", labels, side=24)
    write_json(tmp_path / "manifest.json", manifest_of(root))
    settings = json.dumps({"size": [160, 160, 160], "workers": 1})
    cases = tmp_path / "cases"
    arguments = ["--manifest", str(tmp_path / "manifest.json"), "--settings", settings]
    arguments += ["--cases", str(cases), "--output", str(tmp_path / "shard.json")]
    running = subprocess.Popen(
        [sys.executable, "-m", "containers.stoic.preprocess", *arguments], cwd=ROOT, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 60
        while len(list(cases.glob("[0-9]*.json"))) < 3 and time.monotonic() < deadline:
            time.sleep(0.002)
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait()
    done = {path.stem for path in cases.glob("[0-9]*.json")}
    before = state(cases)
    assert 3 <= len(done) < len(labels)
    assert main(arguments) == 0
    report = json.loads((tmp_path / "shard.json").read_text())
    assert (report["made"], report["kept"]) == (len(labels) - len(done), len(done))
    after = state(cases)
    for case in done:
        assert after[f"{case}.npy"] == before[f"{case}.npy"]
        assert after[f"{case}.json"] == before[f"{case}.json"]
    assert len(load_cases(root / "metadata/reference.csv", cases)) == len(labels)


def manifest_of(root: Path) -> dict[str, Any]:
    """As fetch writes it, for a data set that lacks a class."""
    files = sorted((root / "data/mha").iterdir(), key=lambda path: int(path.stem))
    cases = [{"id": int(p.stem), "file": f"data/mha/{p.name}", "size": p.stat().st_size} for p in files]
    return {"schema": 1, "root": str(root), "cases": cases}


def test_a_stale_manifest_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = data_set(tmp_path / "input", LABELS)
    write_json(tmp_path / "manifest.json", manifest("folder", root))
    write(root / "data/mha/12.mha", noise((20, 20, 20)))
    arguments = ["--manifest", str(tmp_path / "manifest.json"), "--settings", "{}"]
    arguments += ["--cases", str(tmp_path / "cases"), "--output", str(tmp_path / "shard.json")]
    assert main(arguments) == 1
    assert f"{root}/data/mha/12.mha changed since {tmp_path}/manifest.json was written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (Preprocess(spacing=0.0), "preprocess.spacing is 0.0"),
        (Preprocess(size=(0, 10, 10)), "preprocess.size is [0, 10, 10]"),
    ],
)
def test_impossible_settings_name_their_key(tmp_path: Path, settings: Preprocess, sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        preprocess([], settings, tmp_path)
    assert str(caught.value).startswith(sentence)


def test_a_shard_that_is_none_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--manifest", "m", "--shard", "4", "--shards", "4", "--settings", "{}"]
    assert main([*arguments, "--cases", str(tmp_path), "--output", str(tmp_path / "x")]) == 1
    assert "--shard 4 is not one of the 4 of --shards" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="file/cases cannot be made"):
        preprocess([Source(1, tmp_path / "1.mha")], SMALL, tmp_path / "file" / "cases")


def test_nothing_is_written_to_the_source(tmp_path: Path) -> None:
    root = data_set(tmp_path / "input", LABELS)
    before = {path: path.stat().st_mtime_ns for path in [root, *root.rglob("*")]}
    preprocess(sources(root), SMALL, tmp_path / "cases")
    assert {path: path.stat().st_mtime_ns for path in [root, *root.rglob("*")]} == before
