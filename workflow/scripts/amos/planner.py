"""nnU-Net's planners, which take a patch, a batch size and a number of features that they are told."""

from __future__ import annotations

from typing import Any

import numpy as np
from nnunetv2.experiment_planning.experiment_planners.default_experiment_planner import ExperimentPlanner
from nnunetv2.experiment_planning.experiment_planners.network_topology import get_pool_and_conv_props
from nnunetv2.experiment_planning.experiment_planners.residual_unets.residual_encoder_unet_planners import (
    nnUNetPlannerResEncL,
    nnUNetPlannerResEncM,
    nnUNetPlannerResEncXL,
)

from containers.amos.settings import Plan
from containers.kit.errors import UserError

PLANNERS: dict[str, type[ExperimentPlanner]] = {
    "default": ExperimentPlanner,
    "resenc_m": nnUNetPlannerResEncM,
    "resenc_l": nnUNetPlannerResEncL,
    "resenc_xl": nnUNetPlannerResEncXL,
}
FEWEST_STAGES = 3  # with fewer, nnU-Net's loss has no output that counts
GROWTH = 10  # the deepest stages have at most this many times the features of the first, as 320 to 32


def plan(dataset: str, told: Plan) -> tuple[dict[str, Any], list[str]]:
    """nnU-Net's plans for the data set in its folders, and notes on what came out otherwise than it was told."""
    memory = {"gpu_memory_target_in_gb": told.gpu_memory} if told.gpu_memory > 0 else {}
    planner = _obeying(PLANNERS[told.planner], told)(dataset, **memory)
    plans: dict[str, Any] = planner.plan_experiment()
    return plans, list(planner.notes)


def _obeying(base: type[ExperimentPlanner], told: Plan) -> Any:
    """A planner like `base`, in which what is told takes the place of what it would choose.

    It acts where each configuration is planned, so that what follows from the patch (the batch size that fits the
    memory, whether there is a coarse configuration, whose dice the loss takes) is worked out by nnU-Net's own rules.
    """

    class Obeying(base):
        def __init__(self, *args: Any, **named: Any) -> None:
            super().__init__(*args, **named)
            self.notes: dict[str, None] = {}
            if told.features:
                self.UNet_base_num_features = told.features
                self.UNet_max_features_3d = GROWTH * told.features

        def get_plans_for_configuration(
            self,
            spacing: Any,
            median_shape: Any,
            data_identifier: str,
            approximate_n_voxels_dataset: float,
            _cache: Any,
        ) -> dict[str, Any]:
            voxels = approximate_n_voxels_dataset
            found: dict[str, Any] = super().get_plans_for_configuration(
                spacing, median_shape, data_identifier, voxels, _cache
            )
            if data_identifier == self.generate_data_identifier(told.configuration):
                if told.patch:
                    self._lay_out(found, spacing, voxels)
                if told.batch:
                    found["batch_size"] = told.batch
            return found

        def _lay_out(self, found: dict[str, Any], spacing: Any, voxels: float) -> None:
            """Give the configuration the patch that was told, and the stages and the batch size that go with it."""
            forward, backward = self.determine_transpose()
            wanted = [told.patch[axis] for axis in forward]
            _, strides, kernels, patch, _ = get_pool_and_conv_props(
                spacing, wanted, self.UNet_featuremap_min_edge_length, 999999
            )
            stages = len(strides)
            if stages < FEWEST_STAGES:
                raise UserError(f"plan.patch {_by(told.patch)} is too small for a U-Net; make its axes at least 16")
            if list(patch) != wanted:
                became = _by(patch[axis] for axis in backward)
                self.notes[f"plan.patch {_by(told.patch)} became {became}, which halves evenly at every stage"] = None
            architecture = found["architecture"]
            kwargs = architecture["arch_kwargs"]
            blocks = "n_blocks_per_stage" if "n_blocks_per_stage" in kwargs else "n_conv_per_stage"
            features, most = self.UNet_base_num_features, self.UNet_max_features_3d
            kwargs |= {
                "n_stages": stages,
                "features_per_stage": tuple(min(most, features * 2**stage) for stage in range(stages)),
                "kernel_sizes": kernels,
                "strides": strides,
                blocks: self.UNet_blocks_per_stage_encoder[:stages],
                "n_conv_per_stage_decoder": self.UNet_blocks_per_stage_decoder[: stages - 1],
            }
            found["patch_size"] = patch
            found["batch_size"] = self._batch(patch, architecture, voxels)

        def _batch(self, patch: Any, architecture: dict[str, Any], voxels: float) -> int:
            """As many patches as fit the memory that is planned for, and no more than a share of all the data."""
            needed = self.static_estimate_VRAM_usage(
                patch,
                len(self.dataset_json["channel_names"]),
                len(self.dataset_json["labels"]),
                architecture["network_class_name"],
                architecture["arch_kwargs"],
                architecture["_kw_requires_import"],
            )
            there = self.UNet_reference_val_3d * self.UNet_vram_target_GB / self.UNet_reference_val_corresp_GB
            fitting = round(there / needed * self.UNet_reference_val_corresp_bs_3d)
            share = round(voxels * self.max_dataset_covered / float(np.prod(patch, dtype=np.float64)))
            return int(max(min(fitting, share), self.UNet_min_batch_size))

    Obeying.__name__ = f"Slipway{base.__name__}"
    return Obeying


def _by(sides: Any) -> str:
    return " x ".join(str(int(side)) for side in sides)
