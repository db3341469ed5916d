"""The labels are those of nnU-Net's own predictor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from containers.amos.model import load
from containers.amos.predictor import Options, segment
from tests.amos_predict import parts
from tests.amos_predict.reference import nnunet_labels

SMALL, TALL = (14, 40, 44), (34, 20, 24)
Z: dict[str, Any] = {"normalization_schemes": ["ZScoreNormalization"]}
MASK: dict[str, Any] = {"use_mask_for_norm": [True]}


def resampling(**changes: Any) -> dict[str, Any]:
    """The keyword arguments of the three, changed alike."""
    way = {"order_z": 0, "force_separate_z": None, **changes}
    return {
        "resampling_fn_data_kwargs": {"is_seg": False, "order": 3, **way, "order_z": 0},
        "resampling_fn_seg_kwargs": {"is_seg": True, "order": 1, **way},
        "resampling_fn_probabilities_kwargs": {"is_seg": False, "order": 1, **way},
    }


def agree(folder: Path, voxels: parts.Voxels, spacing: tuple[float, float, float], **options: Any) -> None:
    found_spacing = parts.save(folder / "image.nii.gz", voxels, spacing)
    kept = voxels.copy()
    theirs = nnunet_labels(
        folder / "model", folder / "image.nii.gz", options.get("mirror", False), options.get("step", 0.5)
    )
    ours = segment(voxels, found_spacing, load(folder / "model"), Options(**{"mirror": False, **options}))
    assert ours.dtype == np.uint8
    assert ours.shape == voxels.shape == theirs.shape
    assert len(np.unique(theirs)) > 3, "labels that are all alike prove nothing"
    equal = float((ours == theirs).mean())
    assert equal >= 0.9999, f"only {equal:.6%} of the voxels have nnU-Net's label"
    np.testing.assert_array_equal(voxels, kept)


@pytest.mark.parametrize(
    ("shape", "spacing", "changes"),
    [
        pytest.param((30, 50, 40), (2, 1, 1), {}, id="at the network's spacing"),
        pytest.param(SMALL, (2.9, 1.3, 1.2), {}, id="up along all axes"),
        pytest.param(TALL, (1.1, 1.6, 1.4), {}, id="down and up"),
        pytest.param((30, 60, 64), (1.3, 0.7, 0.6), {}, id="down along all axes"),
        pytest.param((9, 50, 52), (6, 0.8, 0.9), {}, id="coarse slices, more of them"),
        pytest.param((30, 36, 34), (1, 1.2, 1.1), {"spacing": [5.0, 1.0, 1.0]}, id="coarse network, fewer slices"),
        pytest.param((12, 40, 40), (5, 1.2, 1.1), {"spacing": [5.0, 1.0, 1.0]}, id="coarse both, as many slices"),
        pytest.param((38, 11, 52), (1.1, 5, 0.9), {}, id="coarse along the second axis"),
        pytest.param((38, 52, 11), (1.1, 0.9, 5), {}, id="coarse along the third axis"),
        pytest.param((38, 52, 11), (1.1, 0.9, 5), {"spacing": [4.0, 1.0, 1.0]}, id="coarse along different axes"),
        pytest.param((9, 50, 52), (6, 0.8, 0.9), resampling(force_separate_z=False), id="never separate"),
        pytest.param(SMALL, (2.9, 1.3, 1.2), resampling(force_separate_z=True), id="always separate"),
        pytest.param((9, 50, 52), (6, 0.8, 0.9), resampling(order_z=1), id="linear between coarse slices"),
        pytest.param(SMALL, (2.9, 1.3, 1.2), resampling(order=1), id="image linearly"),
        pytest.param(SMALL, (2.9, 1.3, 1.2), resampling(order=0), id="image and logits by the nearest"),
        pytest.param((7, 20, 18), (2, 1, 1), {}, id="smaller than the patch"),
        pytest.param((5, 60, 13), (3, 0.9, 1.2), {}, id="smaller than the patch along two axes, resampled"),
        pytest.param((1, 40, 36), (2, 1, 1), {}, id="a single slice"),
    ],
)
def test_resampling(
    shape: tuple[int, int, int], spacing: tuple[float, float, float], changes: dict[str, Any], tmp_path: Path
) -> None:
    parts.make(tmp_path / "model", **changes)
    agree(tmp_path, parts.image(shape), spacing)


@pytest.mark.parametrize(
    ("margin", "changes"),
    [
        pytest.param(0, Z, id="z-score"),
        pytest.param(3, Z, id="z-score of the crop"),
        pytest.param(3, Z | MASK, id="z-score of the mask"),
        pytest.param(3, {"normalization_schemes": ["RescaleTo01Normalization"]}, id="from 0 to 1"),
        pytest.param(0, {"normalization_schemes": ["NoNormalization"]}, id="as it is"),
        pytest.param(4, {}, id="CT with zero margins"),
    ],
)
@pytest.mark.parametrize("spacing", [(2, 1, 1), (2.6, 1.2, 1.1), (7, 0.9, 1)], ids=["same", "up", "coarse"])
def test_normalisation(margin: int, changes: dict[str, Any], spacing: tuple[float, ...], tmp_path: Path) -> None:
    parts.make(tmp_path / "model", **changes)
    voxels = parts.image((18, 40, 44), margin=margin)
    if margin:
        voxels[4:7, 12:16, 20:25] = 0  # a hole, which belongs to the mask
        voxels[8:10, 20:, 12:14] = 0  # a gap, which does not
    agree(tmp_path, voxels, (spacing[0], spacing[1], spacing[2]))


@pytest.mark.parametrize("kind", ["uint8", "int32", "float32", "float64", "uint16"])
def test_type_of_the_voxels(kind: str, tmp_path: Path) -> None:
    parts.make(tmp_path / "model", **Z)
    voxels = parts.image((14, 40, 44), kind if kind != "uint16" else "float64", margin=2)
    agree(tmp_path, np.abs(voxels).astype(kind), (2.3, 1.1, 1.1))


@pytest.mark.parametrize("forward", [[1, 2, 0], [2, 0, 1], [1, 0, 2]])
def test_transposed(forward: list[int], tmp_path: Path) -> None:
    back = [forward.index(axis) for axis in range(3)]
    parts.make(tmp_path / "model", top_transpose_forward=forward, top_transpose_backward=back)
    voxels = parts.image((30, 36, 20), margin=2)
    voxels[:, :5] = 0
    agree(tmp_path, voxels, (0.9, 1.6, 1.2), mirror=True)


@pytest.mark.parametrize("options", [{"mirror": True}, {"step": 0.75}, {"mirror": True, "step": 1.0}], ids=str)
@pytest.mark.parametrize("folds", [1, 3])
def test_ways_to_predict(options: dict[str, Any], folds: int, tmp_path: Path) -> None:
    parts.make(tmp_path / "model", folds=folds)
    agree(tmp_path, parts.image((18, 40, 44)), (2.3, 1, 0.9), **options)


def test_residual_encoder(tmp_path: Path) -> None:
    parts.make(tmp_path / "model", architecture=parts.architecture("ResidualEncoderUNet"))
    agree(tmp_path, parts.image((18, 40, 44)), (2.3, 1, 0.9), mirror=True)


def test_mirrored_where_training_did_not(tmp_path: Path) -> None:
    """`mirror` asks for what the training allows: here none."""
    folder = parts.make(tmp_path / "model", mirror=False)
    voxels = parts.image((18, 40, 44))
    one, other = (segment(voxels, (2, 1, 1), load(folder), Options(mirror=mirror)) for mirror in (True, False))
    np.testing.assert_array_equal(one, other)


def test_no_resampling(tmp_path: Path) -> None:
    name = "no_resampling_hack"
    changes: dict[str, Any] = {f"resampling_fn_{what}": name for what in ("data", "seg", "probabilities")}
    changes |= {f"resampling_fn_{what}_kwargs": {} for what in ("data", "seg", "probabilities")}
    parts.make(tmp_path / "model", **changes)
    agree(tmp_path, parts.image((18, 40, 44)), (3, 0.7, 0.9))


def test_chosen_folds(tmp_path: Path) -> None:
    folder = parts.make(tmp_path / "model", folds=3)
    voxels = parts.image((14, 34, 36))
    spacing = parts.save(tmp_path / "image.nii.gz", voxels, (2, 1, 1))
    theirs = nnunet_labels(folder, tmp_path / "image.nii.gz", folds=[2])
    np.testing.assert_array_equal(segment(voxels, spacing, load(folder, [2]), Options(mirror=False)), theirs)
    assert (segment(voxels, spacing, load(folder, [1]), Options(mirror=False)) != theirs).mean() > 0.1
