"""Packing: every pixel and depth in its place, the folds, and what is said of data that are not whole."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from containers.kit.errors import UserError
from tests.salt_train.commands import Place, draw, pack_images
from tests.salt_train.conftest import Said
from workflow.scripts.salt import packed as packing
from workflow.scripts.salt.folds import folds


def test_all_is_in_its_place(manifest: Path, packed: Place) -> None:
    content = json.loads(manifest.read_text())
    found, cases = packing.read(packed.packed), sorted(content["train"], key=lambda case: str(case["id"]))
    assert found.ids == tuple(case["id"] for case in cases)
    assert (found.images.shape, found.images.dtype) == ((24, 101, 101), np.uint8)
    assert (found.masks.shape, found.masks.dtype) == ((24, 101, 101), bool)
    for place in (0, 7, 23):
        with Image.open(Path(content["root"]) / cases[place]["image"]) as image:
            assert np.array_equal(found.images[place], np.asarray(image)[..., 0])
    assert found.masks.mean(axis=(1, 2)) == pytest.approx(found.coverages, abs=1e-12)
    assert found.depths.tolist() == [case["z"] for case in cases]
    assert found.folds.tolist() == folds([case["coverage"] for case in cases], 2, 3)
    assert found.mean == pytest.approx(np.mean([case["z"] for case in cases]))
    assert found.std == pytest.approx(np.std([case["z"] for case in cases]))
    assert sorted([*found.judged(0), *found.judged(1)]) == list(range(24))


def test_the_same_data_have_the_same_fingerprint(manifest: Path, packed: Place, tmp_path: Path) -> None:
    assert pack_images(manifest, tmp_path / "again", folds=3) == 0
    first, again = packing.read(packed.packed), packing.read(tmp_path / "again")
    assert (first.fingerprint, again.number) == (again.fingerprint, 3)
    content = json.loads(manifest.read_text())
    content["train"][5]["z"] += 1
    (tmp_path / "other.json").write_text(json.dumps(content))
    assert pack_images(tmp_path / "other.json", tmp_path / "other") == 0
    assert packing.read(tmp_path / "other").fingerprint != first.fingerprint


def test_a_missing_depth_counts_as_the_mean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = draw(tmp_path, [100, None, 300, None], [0, 0.2, 0, 0.4])
    assert pack_images(manifest, tmp_path / "packed") == 0
    assert "2 images in 2 folds" not in capsys.readouterr().out
    found = packing.read(tmp_path / "packed")
    assert found.depths.tolist() == [100, 200, 300, 200]
    assert (found.mean, found.std, found.known) == (200, 100, 2)
    none = draw(tmp_path / "none", [None, None], [0, 0.2])
    assert pack_images(none, tmp_path / "none/packed") == 0
    assert "2 have no depth, and count as of the mean" in capsys.readouterr().out
    found = packing.read(tmp_path / "none/packed")
    assert (found.mean, found.std, found.depths.tolist()) == (0, 1, [0, 0])


def test_data_that_are_not_whole_are_named(tmp_path: Path, said: Said) -> None:
    manifest, output = draw(tmp_path, [1, 2], [0, 0.5]), tmp_path / "packed"
    (tmp_path / "root/1.png").write_bytes(b"no image")
    assert pack_images(manifest, output) == 1
    assert said().startswith(f"{tmp_path}/root/1.png cannot be read as an image (")
    Image.new("L", (100, 101)).save(tmp_path / "root/1.png")
    assert pack_images(manifest, output) == 1
    told = "it is 100 x 101, not 101 x 101"
    assert said() == f"{tmp_path}/root/1.png cannot be read as an image ({told}); fetch the data again"
    manifest.write_text("[]")
    assert pack_images(manifest, output) == 1
    assert said() == f"{manifest} is no manifest of the salt challenge; run the rule that fetches"
    assert not output.exists()


def test_a_folder_that_is_not_packed_is_named(packed: Place, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cases.json is not there; run the rule that makes it"):
        packing.read(tmp_path)
    (tmp_path / "cases.json").write_text((packed.packed / "cases.json").read_text())
    with pytest.raises(UserError, match=r"does not hold packed images \(.*images.npy.*\); run the rule that packs"):
        packing.read(tmp_path)
