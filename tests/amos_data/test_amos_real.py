"""A real CT with 14 organs goes the way of the data: it becomes a release, a manifest, a case and a score of 1."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from containers.amos.organs import LABELS, ORGANS
from tests.amos_data.release import description
from workflow.scripts.amos.cases import main as lay_out
from workflow.scripts.amos.fetch import main as fetch
from workflow.scripts.amos.metric import measure
from workflow.scripts.amos.score import main as score


def test_the_organs_of_a_real_ct_have_amos_numbers(scan: tuple[Path, Path]) -> None:
    image, labels = (nib.Nifti1Image.from_filename(path) for path in scan)
    values, organs = image.get_fdata(), np.asarray(labels.dataobj)
    assert image.shape == labels.shape == (122, 101, 112)
    np.testing.assert_allclose(image.affine, labels.affine, atol=1e-3)
    assert set(np.unique(organs)) == {0, *ORGANS} - {LABELS["esophagus"]}
    means = {name: values[organs == number].mean() for name, number in LABELS.items() if (organs == number).any()}
    assert means["liver"] == pytest.approx(44, abs=2)
    assert means["spleen"] == pytest.approx(33, abs=2)
    assert means["arota"] == pytest.approx(42, abs=2)
    assert means["bladder"] == pytest.approx(12, abs=2)
    middle = {name: np.argwhere(organs == LABELS[name]).mean(0) for name in ("liver", "spleen", "bladder", "arota")}
    assert "".join(nib.aff2axcodes(image.affine)) == "RAS"
    assert middle["liver"][0] > middle["arota"][0] > middle["spleen"][0]
    assert middle["bladder"][2] < middle["liver"][2]


def test_a_real_ct_goes_from_release_to_score(scan: tuple[Path, Path], tmp_path: Path) -> None:
    root = tmp_path / "amos22"
    for part, number in (("Tr", 1), ("Va", 2)):
        for kind, path in zip(("images", "labels"), scan, strict=True):
            (root / f"{kind}{part}").mkdir(parents=True)
            shutil.copy(path, root / f"{kind}{part}/amos_{number:04d}.nii.gz")
    (root / "dataset.json").write_text(json.dumps(description({"training": (1,), "validation": (2,)})))
    manifest, cases, output = tmp_path / "manifest.json", tmp_path / "cases.json", tmp_path / "output"
    scratch = ["--scratch", str(tmp_path), "--manifest", str(manifest)]
    assert fetch(["--source", str(root), "--task", "1", *scratch]) == 0
    assert [case["part"] for case in json.loads(manifest.read_text())["cases"]] == ["training", "validation"]
    folder = ["--folder", str(tmp_path / "input"), "--output", str(cases)]
    assert lay_out(["--manifest", str(manifest), "--task", "1", *folder]) == 0
    (case,) = json.loads(cases.read_text())["cases"]
    assert (tmp_path / "input" / case["file"]).read_bytes() == scan[0].read_bytes()
    output.mkdir()
    shutil.copy(scan[1], output / case["file"])
    words = ["--cases", str(cases), "--predictions", str(output), "--output", str(tmp_path / "score")]
    assert score([*words, "--workers", "1"]) == 0
    measures = json.loads((tmp_path / "score/card.json").read_text())["metrics"]
    for group, name in (("holdout_dsc", "dsc"), ("holdout_nsd", "nsd")):
        assert measures[group]["mean of organs"][name] == 1.0
        assert measures[group]["esophagus"][name] is None


def test_a_real_segmentation_that_is_one_voxel_off_scores_less_the_smaller_the_organ(scan: tuple[Path, Path]) -> None:
    labels = nib.Nifti1Image.from_filename(scan[1])
    organs = np.asarray(labels.dataobj)
    scores = measure(organs, np.roll(organs, 1, 0), [float(step) for step in labels.header.get_zooms()], 1.0)
    dsc = {name: scores[number].dsc or 0.0 for name, number in LABELS.items() if number}
    assert 0.9 < dsc["liver"] < 1.0
    assert 0.3 < dsc["left adrenal gland"] < dsc["right kidney"] < dsc["liver"]
