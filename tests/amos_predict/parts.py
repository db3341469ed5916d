"""Tiny models and images, made by hand and seeded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save_file
from scipy import ndimage

from containers.amos.network import build
from containers.amos.plan import Plan
from containers.amos.plan import read as plan_of
from containers.kit.files import sha256

Voxels = npt.NDArray[Any]
UNETS = "dynamic_network_architectures.architectures.unet."
CLASSES = 16
CT = {"mean": 60.0, "std": 140.0, "percentile_00_5": -300.0, "percentile_99_5": 400.0}


def architecture(kind: str = "PlainConvUNet", features: int = 4, stages: int = 3) -> dict[str, Any]:
    plain = kind == "PlainConvUNet"
    return {
        "network_class_name": UNETS + kind,
        "arch_kwargs": {
            "n_stages": stages,
            "features_per_stage": [features * 2**stage for stage in range(stages)],
            "conv_op": "torch.nn.modules.conv.Conv3d",
            "kernel_sizes": [[1, 3, 3], *[[3, 3, 3]] * (stages - 1)],
            "strides": [[1, 1, 1], [1, 2, 2], *[[2, 2, 2]] * (stages - 2)],
            "n_conv_per_stage" if plain else "n_blocks_per_stage": [1] * stages,
            "n_conv_per_stage_decoder": [1] * (stages - 1),
            "conv_bias": True,
            "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
            "norm_op_kwargs": {"eps": 1e-05, "affine": True},
            "dropout_op": None,
            "dropout_op_kwargs": None,
            "nonlin": "torch.nn.LeakyReLU",
            "nonlin_kwargs": {"inplace": True},
        },
        "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
    }


def plans(**changes: Any) -> dict[str, Any]:
    """nnU-Net's plans.json; `changes` go into the configuration, or where they begin with `top_`, above it."""
    name = "resample_data_or_seg_to_shape"
    shared = {"order_z": 0, "force_separate_z": None}
    configuration = {
        "data_identifier": "x",
        "preprocessor_name": "DefaultPreprocessor",
        "batch_size": 2,
        "patch_size": [16, 32, 32],
        "spacing": [2.0, 1.0, 1.0],
        "normalization_schemes": ["CTNormalization"],
        "use_mask_for_norm": [False],
        "resampling_fn_data": name,
        "resampling_fn_seg": name,
        "resampling_fn_probabilities": name,
        "resampling_fn_data_kwargs": {"is_seg": False, "order": 3, **shared},
        "resampling_fn_seg_kwargs": {"is_seg": True, "order": 1, **shared},
        "resampling_fn_probabilities_kwargs": {"is_seg": False, "order": 1, **shared},
        "batch_dice": False,
        "architecture": architecture(),
    }
    top = {key.removeprefix("top_"): value for key, value in changes.items() if key.startswith("top_")}
    configuration |= {key: value for key, value in changes.items() if not key.startswith("top_")}
    return {
        "dataset_name": "Dataset922_AMOS",
        "plans_name": "nnUNetPlans",
        "transpose_forward": [0, 1, 2],
        "transpose_backward": [0, 1, 2],
        "image_reader_writer": "NibabelIOWithReorient",
        "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": {"0": CT},
        "configurations": {"3d_fullres": configuration},
        **top,
    }


def dataset(classes: int = CLASSES) -> dict[str, Any]:
    labels = {"background": 0, **{f"organ {number}": number for number in range(1, classes)}}
    return {"channel_names": {"0": "CT"}, "labels": labels, "numTraining": 2, "file_ending": ".nii.gz"}


def weights(plan: Plan, seed: int) -> dict[str, torch.Tensor]:
    """Random, with logits that differ between classes as a trained network's do."""
    torch.manual_seed(seed)
    network = build(plan)
    for name, value in network.named_parameters():
        if value.ndim > 1:
            torch.nn.init.normal_(value, std=2.0 if "seg_layers" in name else (2 / value[0].numel()) ** 0.5)
        elif "norm" not in name:
            torch.nn.init.normal_(value, std=0.3)
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def make(
    folder: Path, folds: int = 1, mirror: bool = True, seed: int = 1, classes: int = CLASSES, **changes: Any
) -> Path:
    """An artifact, as the training leaves it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plans.json").write_text(json.dumps(plans(**changes)))
    (folder / "dataset.json").write_text(json.dumps(dataset(classes)))
    description = {
        "schema": 1,
        "challenge": "amos",
        "task": 1,
        "configuration": "3d_fullres",
        "mirror_axes": [0, 1, 2] if mirror else None,
        "folds": [],
        "min_volume_mm3": {str(label): 0.0 for label in range(1, classes)},
    }
    (folder / "model.json").write_text(json.dumps(description))
    plan = plan_of(json.loads((folder / "plans.json").read_text()), dataset(classes), "3d_fullres", str(folder))
    for fold in range(folds):
        put(folder, fold, weights(plan, seed + fold))
    return folder


def put(folder: Path, fold: int, found: dict[str, torch.Tensor]) -> None:
    """Write these weights of a fold, and say so in model.json."""
    path = folder / f"fold_{fold}.safetensors"
    save_file(found, path)
    description = json.loads((folder / "model.json").read_text())
    others = [entry for entry in description["folds"] if entry["fold"] != fold]
    description["folds"] = [*others, {"fold": fold, "file": path.name, "sha256": sha256(path)}]
    (folder / "model.json").write_text(json.dumps(description))


def image(shape: tuple[int, int, int], kind: str = "int16", margin: int = 0, seed: int = 0) -> Voxels:
    """Soft shapes in noise; `margin` voxels at each end of each axis are 0."""
    generator = np.random.default_rng(seed)
    soft = ndimage.gaussian_filter(generator.normal(size=shape), [1.5, 3, 3])
    found = soft / soft.std() * 150 + 50 + generator.normal(size=shape) * 10
    if kind == "uint8":
        found = np.clip(found / 4 + 100, 1, 255)
    voxels: Voxels = found.astype(kind)
    voxels[voxels == 0] = 1
    if margin:
        inside = tuple(slice(margin, size - margin) for size in shape)
        kept = voxels[inside].copy()
        voxels[:] = 0
        voxels[inside] = kept
    return voxels


def save(path: Path, voxels: Voxels, spacing: tuple[float, float, float]) -> tuple[float, float, float]:
    """As NIfTI in RAS; gives back the spacing as a reader finds it there."""
    if voxels.dtype == np.int64:
        raise ValueError("NIfTI readers do not agree on 64-bit integers")
    nifti = nibabel.Nifti1Image(voxels.transpose(2, 1, 0), np.diag([*spacing[::-1], 1.0]))
    nibabel.save(nifti, path)
    x, y, z = (float(value) for value in nifti.header.get_zooms())
    return z, y, x
