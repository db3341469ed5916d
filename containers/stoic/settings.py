"""The settings of STOIC's stages, as config/config.yaml gives them and as they are baked into the images."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from containers.kit.errors import did_you_mean

MODELS = ("i3d", "resnet10", "resnet18", "resnet34", "resnet50", "densenet121")  # what containers/stoic/models.py makes


# A mistake that the schema cannot see is a ValueError that begins with the field's name.


@dataclass(frozen=True)
class Preprocess:
    """The organisers' geometry by default: 1.6 mm, 240 voxels a side, HU -1100 to 300."""

    spacing: float = 1.6  # mm, isotropic
    size: tuple[int, int, int] = (240, 240, 240)  # voxels in z, y, x
    window: tuple[float, float] = (-1100.0, 300.0)  # HU, mapped to 0..1
    organisers_padding: bool = False  # pad with 0 HU before the window, as their baseline does, instead of with air
    workers: int = 0  # processes; 0 means one a CPU

    def __post_init__(self) -> None:
        low, high = self.window
        if low >= high:
            raise ValueError(f"window must rise, from the lowest HU to the highest, not from {low:g} to {high:g}")


@dataclass(frozen=True)
class Augment:
    """Each value is a half-width: 0 turns that change off."""

    flip: bool = True  # mirror left and right
    shift: int = 4  # voxels
    scale: float = 0.1  # relative zoom
    rotate: float = 10.0  # degrees about the body axis
    gain: float = 0.05  # relative contrast
    noise: float = 0.02  # standard deviation of added noise


@dataclass(frozen=True)
class Train:
    where: Literal["container", "host"] = "container"
    model: str = "resnet18"  # a name of containers/stoic/models.py, or module:Class
    model_args: dict[str, Any] = field(default_factory=dict)
    weights: str = ""  # file with pretrained weights; empty starts from scratch
    demographics: bool = False  # give age and sex to the network
    folds: int = 5
    only_folds: tuple[int, ...] = ()  # train only these; empty means all
    holdout: float = 0.15  # share of cases kept away from all training, for the score in the model card
    epochs: int = 40
    patience: int = 15  # epochs without a better validation score before a fold stops
    batch: int = 2  # cases a process
    lr: float = 1e-4
    weight_decay: float = 1e-2
    warmup: float = 0.05  # share of all steps
    severity_cases: Literal["all", "positives"] = "all"  # whose severity counts in the loss
    amp: Literal["auto", "off", "bf16", "fp16"] = "auto"
    processes: int = 0  # DDP processes; 0 means one a GPU, and one without a GPU
    loaders: int = 4  # DataLoader workers a process
    checkpoint_minutes: float = 10.0  # a checkpoint at least this often, and after every epoch
    seed: int = 2021
    augment: Augment = Augment()

    def __post_init__(self) -> None:
        if self.model not in MODELS and ":" not in self.model:
            hint = did_you_mean(self.model, MODELS, f"known: {', '.join(MODELS)}, or module:Class")
            raise ValueError(f"model '{self.model}' is not known; {hint}")
        beyond = [fold for fold in self.only_folds if fold >= self.folds]
        if beyond:
            raise ValueError(f"only_folds names fold {beyond[0]}, but there are {self.folds}, counted from 0")


@dataclass(frozen=True)
class Predict:
    flip: bool = True  # average over the mirrored image too


@dataclass(frozen=True)
class Settings:
    """What is baked into both images as settings.json."""

    preprocess: Preprocess = Preprocess()
    train: Train = Train()
    predict: Predict = Predict()
