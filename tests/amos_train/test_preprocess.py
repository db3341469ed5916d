"""Preprocessing: nnU-Net's own result, what is kept and what is not, and a kill in the middle of it."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import blosc2
import numpy as np
import pytest

from tests.amos_train.conftest import Place
from tests.amos_train.synthetic import PLAN, make
from tests.processes import gone, send_when, start
from workflow.scripts.amos import plan, preprocess

MODULE = "workflow.scripts.amos.preprocess"


def cases_of(place: Place) -> Path:
    return Path(place.read("preprocessed.json")["folder"])


def test_the_record_names_complete_cases(planned: Place) -> None:
    record = planned.read("preprocessed.json")
    assert record["cases"] == sorted(planned.read("plan/plan.json")["modalities"])
    folder = cases_of(planned)
    assert folder.name == record["fingerprint"]
    assert {path.name for path in folder.iterdir()} == {
        f"{case}{part}" for case in record["cases"] for part in preprocess.PARTS
    }
    voxels, labels = (blosc2.open(str(folder / f"amos_0002{part}"))[:] for part in preprocess.PARTS[:2])
    assert voxels.shape == labels.shape == (1, 24, 40, 40), "turned to RAS, whatever the file's order"
    assert voxels.mean() == pytest.approx(0, abs=0.01)
    assert voxels.std() == pytest.approx(1, abs=0.01)
    assert set(np.unique(labels)) == {0, 1, 6, 11, 14}


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_it_does_only_what_is_missing(tmp_path: Path, workers: int) -> None:
    place = Place(tmp_path)
    make(tmp_path, ct=24)
    assert plan.main(place.plan_words()) == 0
    log = tmp_path / "log"
    folder = place.folder / "scratch/cases"
    process = start(MODULE, place.preprocess_words(workers), log)
    assert send_when(process, lambda: bool([*folder.glob("*/*.pkl")]), signal.SIGKILL, log) == -signal.SIGKILL
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("*/*.pkl")}
    assert 0 < len(before) < 26
    assert not place.record.exists()
    assert preprocess.main(place.preprocess_words()) == 0
    after = {path.name: path.stat().st_mtime_ns for path in cases_of(place).glob("*.pkl")}
    assert len(after) == 26
    assert {name: after[name] for name in before} == before
    whole = tmp_path / "whole"
    shutil.copytree(cases_of(place), whole)
    shutil.rmtree(folder)
    assert preprocess.main(place.preprocess_words()) == 0
    for path in whole.iterdir():
        if path.suffix == ".b2nd":
            again = blosc2.open(str(cases_of(place) / path.name))[:]
            np.testing.assert_array_equal(blosc2.open(str(path))[:], again)
    assert not list(folder.glob("*.partial"))
    assert gone(process)


def test_another_network_finds_the_cases_again(
    planned: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = Place(tmp_path)
    for name in ("manifest.json", "scratch"):
        (tmp_path / name).symlink_to(planned.folder / name)
    assert plan.main(place.plan_words(told=PLAN | {"planner": "resenc_m", "patch": [16, 16, 32], "batch": 3})) == 0
    capsys.readouterr()
    assert preprocess.main(place.preprocess_words()) == 0
    assert "6 of 6 cases are there already" in capsys.readouterr().out
    assert cases_of(place).resolve() == cases_of(planned).resolve()


def test_other_data_do_not(planned: Place) -> None:
    plans = planned.read("plan/plans.json")
    assert preprocess.key(plans, "3d_fullres", "f00d") == planned.read("preprocessed.json")["fingerprint"]
    assert preprocess.key(plans, "3d_fullres", "other") != preprocess.key(plans, "3d_fullres", "f00d")
    plans["configurations"]["3d_fullres"]["spacing"] = [3.0, 1.5, 1.5]
    assert preprocess.key(plans, "3d_fullres", "f00d") != planned.read("preprocessed.json")["fingerprint"]


def test_a_broken_case_is_named_and_the_others_are_done(
    planned: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = Place(tmp_path)
    shutil.copytree(planned.folder / "amos22", tmp_path / "amos22")
    shutil.copytree(planned.plan, place.plan)
    content = planned.read("manifest.json") | {"root": str(tmp_path / "amos22")}
    place.manifest.write_text(json.dumps(content))
    broken = tmp_path / "amos22/imagesTr/amos_0002.nii.gz"
    broken.write_bytes(broken.read_bytes()[:3000])
    assert preprocess.main(place.preprocess_words()) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith(f"error: {broken} cannot be preprocessed (")
    assert len([*tmp_path.glob("scratch/cases/*/*.pkl")]) == 5
    assert not place.record.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [({"fingerprint": "other"}, "lists other data than"), ({"cases": []}, "has no training cases")],
)
def test_a_manifest_of_other_data(
    planned: Place, tmp_path: Path, change: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps(planned.read("manifest.json") | change))
    words = [word for word in planned.preprocess_words() if not word.startswith("--manifest")]
    assert preprocess.main([*words, f"--manifest={manifest}"]) == 1
    assert said in capsys.readouterr().err


def test_a_configuration_that_was_not_planned(planned: Place, capsys: pytest.CaptureFixture[str]) -> None:
    words = [word.replace("3d_fullres", "3d_lowres") for word in planned.preprocess_words()]
    assert preprocess.main(words) == 1
    assert "--configuration 3d_lowres is not in" in capsys.readouterr().err
