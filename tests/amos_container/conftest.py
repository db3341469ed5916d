"""A model of random weights, small enough for seconds, in the very form in which training leaves one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from containers.amos import network, plan
from containers.amos.organs import LABELS
from containers.kit.files import sha256

PATCH = [16, 16, 16]
RESAMPLING = {"is_seg": False, "order": 3, "order_z": 0, "force_separate_z": None}
PLANS: dict[str, Any] = {
    "dataset_name": "Dataset220_AMOS",
    "plans_name": "nnUNetPlans",
    "transpose_forward": [0, 1, 2],
    "transpose_backward": [0, 1, 2],
    "foreground_intensity_properties_per_channel": {
        "0": {"mean": 50.0, "std": 150.0, "percentile_00_5": -900.0, "percentile_99_5": 900.0}
    },
    "configurations": {
        "3d_fullres": {
            "patch_size": PATCH,
            "batch_size": 2,
            "spacing": [4.0, 1.5, 1.5],
            "normalization_schemes": ["CTNormalization"],
            "use_mask_for_norm": [False],
            "resampling_fn_data": "resample_data_or_seg_to_shape",
            "resampling_fn_probabilities": "resample_data_or_seg_to_shape",
            "resampling_fn_data_kwargs": RESAMPLING,
            "resampling_fn_probabilities_kwargs": {**RESAMPLING, "order": 1},
            "architecture": {
                "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
                "arch_kwargs": {
                    "n_stages": 3,
                    "features_per_stage": [4, 8, 16],
                    "conv_op": "torch.nn.modules.conv.Conv3d",
                    "kernel_sizes": [[3, 3, 3]] * 3,
                    "strides": [[1, 1, 1], [2, 2, 2], [2, 2, 2]],
                    "n_conv_per_stage": [1, 1, 1],
                    "n_conv_per_stage_decoder": [1, 1],
                    "conv_bias": True,
                    "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
                    "norm_op_kwargs": {"eps": 1e-05, "affine": True},
                    "dropout_op": None,
                    "dropout_op_kwargs": None,
                    "nonlin": "torch.nn.LeakyReLU",
                    "nonlin_kwargs": {"inplace": True},
                },
                "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
            },
        }
    },
}
DATASET = {"channel_names": {"0": "CT"}, "labels": LABELS, "numTraining": 1, "file_ending": ".nii.gz"}


def make_artifact(folder: Path, **changes: Any) -> Path:
    """A folder as results/amos/artifact is; `changes` go to its model.json."""
    folder.mkdir(parents=True)
    (folder / "plans.json").write_text(json.dumps(PLANS))
    (folder / "dataset.json").write_text(json.dumps(DATASET))
    torch.manual_seed(0)
    built = network.build(plan.read(PLANS, DATASET, "3d_fullres", str(folder)))
    unique = {value.data_ptr(): (name, value) for name, value in built.state_dict().items()}
    save_file({name: value.contiguous() for name, value in unique.values()}, folder / "fold_0.safetensors")
    said = {
        "schema": 1,
        "challenge": "amos",
        "task": 1,
        "configuration": "3d_fullres",
        "mirror_axes": [2],
        "folds": [{"fold": 0, "file": "fold_0.safetensors", "sha256": sha256(folder / "fold_0.safetensors")}],
        "min_volume_mm3": {str(organ): 0.0 for organ in range(1, 16)},
    }
    (folder / "model.json").write_text(json.dumps({**said, **changes}))
    return folder


@pytest.fixture(scope="session")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_artifact(tmp_path_factory.mktemp("model") / "artifact")
