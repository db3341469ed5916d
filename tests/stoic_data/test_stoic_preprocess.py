"""Preprocessing: the organisers' geometry, the same on the host and in both images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from containers.kit.files import write_json
from containers.stoic.data import load_cases
from containers.stoic.preprocess import (
    Demographics,
    demographics,
    main,
    prepare,
    preprocess,
    sources,
)
from containers.stoic.settings import Preprocess
from tests.stoic_data.images import data_set, noise, write
from workflow.scripts.stoic.fetch import manifest

SMALL = Preprocess(size=(12, 10, 10), workers=1)
LABELS = {7: (0, 0), 12: (1, 0), 30: (1, 1), 101: (0, 0), 5000: (1, 0)}


def scaled(voxels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.asarray((np.clip(voxels, -1100, 300) + 1100.0) / 1400.0)


def test_the_organisers_geometry_by_default(tmp_path: Path) -> None:
    voxels = noise((10, 7, 20))
    path = write(tmp_path / "a.mha", voxels, spacing=(1.6, 1.6, 1.6), origin=(-50.0, 20.0, 300.0))
    found, _ = prepare(path, Preprocess(size=(6, 10, 10)))
    assert found.shape == (6, 10, 10)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[:, 2:9, :], scaled(voxels)[4:, :, 5:15], atol=1e-6)
    assert (found[:, :2] == 0).all()
    assert (found[:, 9:] == 0).all()


def test_missing_slices_are_padded_below_the_first(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mha", noise((4, 10, 10)), spacing=(1.6, 1.6, 1.6))
    found, _ = prepare(path, Preprocess(size=(10, 10, 10)))
    assert (found[:6] == 0).all()
    np.testing.assert_allclose(found[6:], scaled(noise((4, 10, 10))), atol=1e-6)


def test_the_organisers_padding_is_water_not_air(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mha", noise((4, 10, 10)), spacing=(1.6, 1.6, 1.6))
    found, _ = prepare(path, Preprocess(size=(10, 10, 10), organisers_padding=True))
    np.testing.assert_allclose(found[:6], 0.7857, atol=1e-4)
    np.testing.assert_allclose(found[6:], scaled(noise((4, 10, 10))), atol=1e-6)


def test_a_test_image_of_bytes_with_any_spacing_is_prepared(tmp_path: Path) -> None:
    voxels = np.full((12, 20, 20), 150, np.uint8)
    path = write(tmp_path / "test.mhd", voxels, spacing=(0.6445, 0.6445, 1.8))
    found, patient = prepare(path, SMALL)
    assert found.max() == pytest.approx(1250 / 1400)
    assert patient == Demographics(None, None)


@pytest.mark.parametrize(
    ("age", "sex", "expected"),
    [
        ("065Y", "M", Demographics(65, "M")),
        ("85Y ", "F ", Demographics(85, "F")),
        ("", "", Demographics(None, None)),
        ("012M", "O", Demographics(None, None)),
        ("000Y", "m", Demographics(None, None)),
        ("999Y", "Male", Demographics(None, None)),
    ],
)
def test_age_and_sex_come_from_the_header(age: str, sex: str, expected: Demographics) -> None:
    assert demographics({"PatientAge": age, "PatientSex": sex}) == expected


def test_a_header_without_them_is_no_error() -> None:
    assert demographics({}) == Demographics(None, None)


def test_host_training_and_prediction_give_the_same(tmp_path: Path) -> None:
    root = data_set(tmp_path / "input", LABELS)
    write_json(tmp_path / "manifest.json", manifest("folder", root))
    settings = {"size": [12, 10, 10], "workers": 1}
    for shard in ("0", "1"):
        arguments = ["--manifest", str(tmp_path / "manifest.json"), "--shard", shard, "--shards", "2"]
        arguments += ["--settings", json.dumps(settings), "--cases", str(tmp_path / "host")]
        assert main([*arguments, "--output", str(tmp_path / f"{shard}.json")]) == 0
    preprocess(sources(root), SMALL, tmp_path / "container")
    for case, twin in zip(
        load_cases(root / "metadata/reference.csv", tmp_path / "host"),
        load_cases(root / "metadata/reference.csv", tmp_path / "container"),
        strict=True,
    ):
        stored = np.load(case.path, mmap_mode="r")
        assert stored.dtype == np.float16
        assert stored.shape == (12, 10, 10)
        assert case.path.read_bytes() == twin.path.read_bytes()
        alone, patient = prepare(root / f"data/mha/{case.id}.mha", SMALL)
        np.testing.assert_allclose(stored, alone, atol=5e-4)
        assert (case.age, case.sex) == (patient.age, patient.sex) == (65, "F")
        assert (case.covid, case.severe) == LABELS[case.id]
    shards = [json.loads((tmp_path / f"{shard}.json").read_text()) for shard in (0, 1)]
    assert [shard["ids"] for shard in shards] == [[7, 30, 5000], [12, 101]]
    assert [(shard["made"], shard["kept"]) for shard in shards] == [(3, 0), (2, 0)]


def test_a_pool_of_processes_gives_the_same_as_one(tmp_path: Path) -> None:
    root = data_set(tmp_path / "input", LABELS)
    preprocess(sources(root), SMALL, tmp_path / "one", workers=1)
    preprocess(sources(root), SMALL, tmp_path / "two", workers=2)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
