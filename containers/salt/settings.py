"""The settings of the salt stages, as config/config.yaml gives them and as they are baked into the image."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from containers.kit.errors import UserError, did_you_mean

Amp = Literal["auto", "off", "bf16", "fp16"]
Optimizer = Literal["adamw", "sgd"]
Margin = Literal["relu", "elu"]
Tta = Literal["none", "hflip"]
Crf = Literal["auto", "on", "off"]
PROCESSED = "_post_processing"
SOURCES = ("classifier", "segmentation", "both")
VARIANTS = tuple(f"{source}{end}" for source in SOURCES for end in ("", PROCESSED))  # what may be submitted
A_DAY = 5  # files that Kaggle takes
CLASSIFIERS = ("resnet10", "resnet18", "resnet34", "resnet50")
SEGMENTERS = ("unet", "efficientnet-lite0-scse", "resnet18-scse", "resnet34-scse", "resnet50-scse")

# A mistake that the schema cannot see is a ValueError that begins with the field's name.


@dataclass(frozen=True)
class Inputs:
    """What a network is given; the original pipeline's is `Inputs(channels=3)`.

    The image stands in every channel, with `depth` in all but the last. Grey images say the same in three channels as
    in one, which takes a third of the first layer's time.
    """

    channels: int = 1
    depth: bool = False
    offset: float = 125.0
    scale: float = 1.0
    depth_mean: float = 0.0  # of the training images
    depth_std: float = 1.0

    def __post_init__(self) -> None:
        if self.channels < 1 + self.depth:
            needed = "an image and its depth" if self.depth else "an image"
            raise ValueError(f"channels {self.channels} are too few for {needed}; set {1 + self.depth} or more")


@dataclass(frozen=True)
class Augment:
    """How far images are changed in training; zero leaves a thing as it is."""

    flip: bool = True
    shift: float = 0.0  # pixels
    scale: float = 0.0  # 0.1: from 0.9 to 1.1 of the size
    offset: float = 0.0  # grey levels
    gain: float = 0.0  # 0.1: from 0.9 to 1.1 of the contrast


@dataclass(frozen=True)
class Train:
    """What the classifier and the segmentation share."""

    folds: int = 5
    seed: int = 2018


@dataclass(frozen=True)
class Learning:
    """How one network of a fold learns."""

    model: str  # a name of containers/salt/networks.py, or module:Class
    epochs: int
    cycle: int  # epochs from one restart of the learning rate to the next, each of which ends with a snapshot
    model_args: dict[str, Any] = field(default_factory=dict)
    weights: str = ""  # file with pretrained weights of the encoder; empty begins from scratch
    snapshots: int = 2  # how many of the last are asked together; 0 means all
    batch: int = 16
    optimizer: Optimizer = "adamw"
    lr: float = 1e-3
    floor: float = 0.01  # share of lr that a cycle ends with
    weight_decay: float = 1e-2
    augment: Augment = Augment(shift=8, scale=0.1, offset=10, gain=0.1)
    amp: Amp = "auto"
    loaders: int = 2  # DataLoader workers
    checkpoint_minutes: float = 10.0  # a checkpoint at least this often, and after every epoch

    def __post_init__(self) -> None:
        if self.cycle > self.epochs:
            raise ValueError(
                f"cycle {self.cycle} is longer than the training's {self.epochs} epochs; set it at most so"
            )


@dataclass(frozen=True)
class Classifier(Learning):
    """Is there any salt?"""

    model: str = "resnet18"
    epochs: int = 40
    cycle: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        _known(self.model, CLASSIFIERS)


@dataclass(frozen=True)
class Segmentation(Learning):
    """Where is it? Cross-entropy alone until `lovasz_from`, a mixture with the Lovasz hinge from then on."""

    model: str = "resnet34-scse"
    epochs: int = 80
    cycle: int = 20
    only_folds: tuple[int, ...] = ()  # train only these; empty means all
    images: Literal["kept", "all"] = "kept"  # learn from those that the classifier keeps, or from all
    lovasz: float = 0.5  # share of the Lovasz hinge in the loss
    lovasz_from: float = 0.5  # share of the epochs after which it begins
    margin: Margin = "relu"
    whole_batch: bool = False  # the hinge over all pixels of a batch at once, not image by image
    deep: float = 0.0  # weight of the coarser levels' losses, for networks with deep_supervision

    def __post_init__(self) -> None:
        super().__post_init__()
        _known(self.model, SEGMENTERS)

    def chosen(self, folds: int) -> tuple[int, ...]:
        """The folds that are trained, of so many."""
        beyond = [fold for fold in self.only_folds if fold >= folds]
        if beyond:
            raise UserError(
                f"challenges.salt.segmentation.only_folds names fold {beyond[0]}, but train.folds is {folds}, counted "
                "from 0"
            )
        return tuple(sorted(set(self.only_folds))) or tuple(range(folds))


@dataclass(frozen=True)
class Tune:
    """What post-processing may do; threshold, least size and the classifier's threshold are tuned."""

    crf: Crf = "auto"  # auto: where it scores better out of fold
    sigma: float = 3.0
    compat: float = 3.0
    certainty: float = 0.7
    rounds: int = 10
    component: int = 0  # parts of salt of fewer pixels are removed
    hole: int = 0  # holes of fewer pixels are filled
    full: int = 0  # more pixels of salt than this make a full image; 0 never does


@dataclass(frozen=True)
class Predict:
    variant: str = "both_post_processing"
    tta: Tta = "hflip"
    batch: int = 32
    device: Literal["auto", "cpu"] = "auto"

    def __post_init__(self) -> None:
        if self.variant not in VARIANTS:
            raise ValueError(f"variant '{self.variant}' is not known; it is one of {', '.join(VARIANTS)}")


@dataclass(frozen=True)
class Submit:
    really: bool = False
    message: str = "slipway"
    files: tuple[str, ...] = ("both_post_processing", "both", "segmentation_post_processing", "segmentation")

    def __post_init__(self) -> None:
        unknown = [name for name in self.files if name not in VARIANTS]
        if unknown:
            raise ValueError(f"files names '{unknown[0]}', which is none of {', '.join(VARIANTS)}")
        if not 1 <= len(self.files) <= A_DAY or len(set(self.files)) < len(self.files):
            raise ValueError(f"files must name 1 to {A_DAY} different files, which is what Kaggle takes a day")


@dataclass(frozen=True)
class Settings:
    """What is baked into the image as settings.json."""

    predict: Predict = Predict()


def _known(model: str, names: tuple[str, ...]) -> None:
    if model not in names and ":" not in model:
        hint = did_you_mean(model, names, f"known: {', '.join(names)}, or module:Class")
        raise ValueError(f"model '{model}' is not known; {hint}")
