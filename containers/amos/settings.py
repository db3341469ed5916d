"""The settings of AMOS' stages, as config/config.yaml gives them and as they are baked into the image."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

Planner = Literal["default", "resenc_m", "resenc_l", "resenc_xl"]
Configuration = Literal["3d_fullres", "3d_lowres"]
Device = Literal["auto", "cpu"]

# A mistake that the schema cannot see is a ValueError that begins with the field's name.


@dataclass(frozen=True)
class Submission:
    team: str
    task: Literal[1, 2] = 1  # 1 is CT alone, 2 is CT and MR with one model

    def __post_init__(self) -> None:
        if not re.fullmatch("[a-z0-9]+", self.team):
            raise ValueError(f"team '{self.team}' cannot name an image; use lower-case letters and digits, no signs")


@dataclass(frozen=True)
class Plan:
    """How nnU-Net plans; what is empty or 0 is left to it."""

    planner: Planner = "default"
    configuration: Configuration = "3d_fullres"
    gpu_memory: float = 0.0  # GB that the plan may use on the GPU
    patch: tuple[int, ...] = ()  # voxels, in nnU-Net's order of axes (z, y, x before its transposition)
    batch: int = 0
    features: int = 0  # of the first stage; each further one has twice as many, up to 10 times these

    def __post_init__(self) -> None:
        if self.patch and len(self.patch) != 3:
            raise ValueError(f"patch must have three numbers or none, not {len(self.patch)}")


@dataclass(frozen=True)
class Train:
    network: str = "nnunet"  # what the plan says, or a class of your own as module:Class
    network_args: dict[str, Any] = field(default_factory=dict)
    validation: Literal["holdout", "train"] = "holdout"  # what the organisers' validation cases are for
    folds: int = 5
    only_folds: tuple[int, ...] = ()  # train only these; empty means all
    epochs: int = 1000
    iterations: int = 250  # batches an epoch
    val_iterations: int = 50
    lr: float = 0.01
    optimizer: Literal["sgd", "adamw"] = "sgd"  # nnU-Net's own, or the one that learns faster where epochs are few
    augment: Literal["nnunet", "none"] = "nnunet"  # what nnU-Net does to the patches, or nothing
    amp: Literal["auto", "off"] = "auto"  # half-size numbers where this machine is fast with them
    mirror: bool = True  # mirror the training images along every axis, and so allow it in prediction
    checkpoint_every: int = 50  # epochs
    workers: int = 0  # processes that augment; 0 leaves it to nnU-Net
    seed: int = 2022

    def __post_init__(self) -> None:
        if self.network != "nnunet" and ":" not in self.network:
            raise ValueError(f"network '{self.network}' is not known; write nnunet, or your own class as module:Class")
        if self.mirror and self.augment == "none":
            raise ValueError("mirror needs augment: nnunet, which does the mirroring; set train.mirror to false")
        beyond = [fold for fold in self.only_folds if fold >= self.folds]
        if beyond:
            raise ValueError(f"only_folds names fold {beyond[0]}, but there are {self.folds}, counted from 0")

    @property
    def chosen(self) -> tuple[int, ...]:
        return self.only_folds or tuple(range(self.folds))


@dataclass(frozen=True)
class Predict:
    """How the container predicts; the same code scores the folds."""

    mirror: bool = True  # average over mirrored copies too, along the axes that training mirrored
    step: float = 0.5  # between neighbouring windows, as a share of the patch
    device: Device = "auto"  # auto takes the GPU where there is one
    clean: bool = True  # remove the small components that training found to be mistakes
    memory: float = 0.0  # GB that a case may take; 0 means what the container's limit leaves


@dataclass(frozen=True)
class Metric:
    tolerance: float = 1.0  # mm, of the NSD; the organisers' own value is not known


@dataclass(frozen=True)
class Settings:
    """What is baked into the image as settings.json."""

    predict: Predict = Predict()
