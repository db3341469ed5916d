"""The trained demo network on a real abdominal CT and beside nnU-Net's own predictor; the image with a user's files."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch

from containers.amos import outputs, volume
from containers.amos.model import load
from containers.amos.predictor import Options, segment
from tests.amos_predict.reference import nnunet_labels
from tests.real_ct import real_ct
from tests.workflow.clone import Clone
from workflow.scripts.slipway.engine import find

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real CT of an abdomen."""
    image, _ = real_ct(tmp_path_factory.mktemp("real"))
    return image


@pytest.fixture(scope="module")
def artifact(exported_amos: Clone) -> Path:
    return exported_amos.root / "results" / "amos" / "artifact"


@pytest.fixture(scope="module")
def held_out(exported_amos: Clone) -> Path:
    return min((exported_amos.root / "scratch" / "amos" / "cases").glob("*.nii.gz"))


def equal_share(artifact: Path, image: Path, step: float) -> float:
    """The share of voxels that our predictor and nnU-Net's label alike."""
    model = load(artifact)
    read = volume.read(image)
    ours = segment(read.voxels, read.head.spacing, model, Options(False, step, torch.device("cpu")))
    theirs = nnunet_labels(artifact, image, mirror=False, step=step)
    assert ours.shape == theirs.shape
    assert len(np.unique(theirs)) > 5, "a map of background alone would agree with anything"
    return float((ours == theirs).mean())


@pytest.mark.parametrize("step", [0.5, 0.75])
def test_a_demo_case_is_labelled_as_nnunet_labels_it(artifact: Path, held_out: Path, step: float) -> None:
    assert equal_share(artifact, held_out, step) >= 0.9999


def test_a_real_ct_is_labelled_as_nnunet_labels_it(artifact: Path, scan: Path) -> None:
    assert equal_share(artifact, scan, 0.5) >= 0.9999


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, scan: Path, held_out: Path) -> tuple[Path, Path]:
    """Input and output of a run of the image: names as people give them, and one file that is cut short."""
    root = tmp_path_factory.mktemp("files")
    given, written = root / "in put", root / "out put"
    given.mkdir()
    written.mkdir()
    written.chmod(0o777)
    shutil.copy(held_out, given / "-Läufer 1.b (copy).nii.gz")
    shutil.copy(scan, given / "骨盆 CT.nii.gz")
    whole = gzip.decompress(held_out.read_bytes())
    (given / "cut short.nii.gz").write_bytes(gzip.compress(whole[: len(whole) // 2], mtime=0))
    for path in given.iterdir():
        path.chmod(0o644)
    return given, written


@pytest.fixture(scope="module")
def done(exported_amos: Clone, folders: tuple[Path, Path]) -> subprocess.CompletedProcess[str]:
    """The image that was exported, run as another user than root with nothing writable but the output."""
    assert exported_amos.root.is_dir()
    mounts = ["-v", f"{folders[0]}:/workspace/input/:ro", "-v", f"{folders[1]}:/workspace/output/"]
    words = ["--read-only", "--network", "none", "--memory", "8g", "--memory-swap", "8g", "--user", "4321:4321"]
    command = find().command("run", "--rm", *words, *mounts, "slipway", "python", "run_inference.py")
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_broken_case_is_named_and_the_others_are_written(
    done: subprocess.CompletedProcess[str], folders: tuple[Path, Path]
) -> None:
    assert done.returncode == 1, done.stderr
    assert "cut short.nii.gz" in done.stderr
    assert "Traceback" not in done.stderr
    names = {path.name for path in folders[0].iterdir()}
    assert {path.name for path in folders[1].iterdir()} == names - {"cut short.nii.gz"}


def test_the_output_check_finds_the_missing_case_and_nothing_else(
    done: subprocess.CompletedProcess[str], folders: tuple[Path, Path]
) -> None:
    assert done.returncode == 1
    failed = [finding for finding in outputs.check(folders[1], folders[0]) if finding.status == "FAIL"]
    assert [(finding.name, finding.expected) for finding in failed] == [("missing output", "cut short.nii.gz")]


def test_organs_are_found_in_the_real_ct(
    done: subprocess.CompletedProcess[str], folders: tuple[Path, Path], scan: Path
) -> None:
    """A network that learnt from phantoms is no radiologist, but the map has the scan's geometry and labels in it."""
    assert done.returncode == 1
    labels: Any = nibabel.load(folders[1] / "骨盆 CT.nii.gz")
    image: Any = nibabel.load(scan)
    assert labels.shape == image.shape
    assert labels.get_data_dtype() == np.uint8
    assert np.allclose(labels.affine, image.affine, atol=1e-4)
    assert len(np.unique(np.asarray(labels.dataobj))) > 3
