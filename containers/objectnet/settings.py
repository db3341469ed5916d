"""The settings of ObjectNet's stages, as config/config.yaml gives them and as they are baked into the image."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from containers.kit.errors import UserError

Mode = Literal["merge", "1", "0"]
Tta = Literal["none", "flip"]
Precision = Literal["auto", "fp32", "bf16"]
Backend = Literal["auto", "torch", "onnx"]
Runtime = Literal["torch", "onnx", "both"]

# A mistake that the schema cannot see is a ValueError that begins with the field's name.


@dataclass(frozen=True)
class Submission:
    tag: str = "slipway/objectnet"  # the image's name; registry/project/name:tag for one that is pushed
    runtime: Runtime = "torch"  # which image is made

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*(:[0-9]+)?(/[a-z0-9][a-z0-9._-]*)*(:\w[\w.-]{0,120})?", self.tag):
            raise ValueError(f"tag '{self.tag}' names no image; write it as registry/project/name:tag, in lower case")

    @property
    def images(self) -> tuple[str, ...]:
        return ("torch", "onnx") if self.runtime == "both" else (self.runtime,)

    @property
    def name(self) -> str:
        """What its archive is called."""
        return self.tag.rpartition("/")[2].partition(":")[0]


@dataclass(frozen=True)
class Transform:
    """From a photo without its border to what the network sees; the defaults are those of the organisers' template."""

    size: int = 224
    crop: float = 1.0  # side of the middle square that is kept, as a share of the resized photo's shorter side
    resize: Literal["shorter", "squash"] = "shorter"  # keep the photo's shape, or squash all of it into the square
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)

    def __post_init__(self) -> None:
        for name in ("mean", "std"):
            if len(getattr(self, name)) != 3:
                raise ValueError(f"{name} must have three numbers, for red, green and blue")
        if not all(value > 0 for value in self.std):
            raise ValueError("std must have no number below or at 0")


@dataclass(frozen=True)
class Candidate:
    """One network that may be chosen."""

    model: str  # timm:NAME, a class of model/model_description.py, or a name of torchvision's
    weights: str  # a file, or package:NAME for weights that a package carries
    model_args: dict[str, Any] = field(default_factory=dict)
    transform: Transform | None = None  # None: a timm model's own, else model/data_transform_description.py

    def __post_init__(self) -> None:
        if not re.fullmatch(r"(timm:)?[A-Za-z_][A-Za-z0-9_.]*", self.model):
            raise ValueError(f"model '{self.model}' is no name; write a class, a name of torchvision's, or timm:NAME")
        if not self.weights:
            raise ValueError("weights is empty; ObjectNet has no training images, so name a file with trained weights")


@dataclass(frozen=True)
class Train:
    """How the best candidate is chosen; no image of ObjectNet has a part in it."""

    candidates: dict[str, Candidate]
    photos: str = "package"  # photos to choose by: those that a package carries, or a folder

    def __post_init__(self) -> None:
        if not self.candidates:
            raise ValueError("candidates is empty; name at least one network")


@dataclass(frozen=True)
class Predict:
    """How the container predicts, and how the candidates are compared."""

    workers: int = 0  # threads that decode; 0 means one a CPU
    batch_size: int = 96  # for each GPU, or for the CPU
    softmax: bool = True
    convert_outputs_mode: Mode = "merge"
    tta: Tta = "none"
    temperature: float = 1.0
    precision: Precision = "auto"
    backend: Backend = "auto"

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ValueError("batch_size must be at least 1")
        if self.temperature <= 0:
            raise ValueError("temperature must be more than 0")


def agreed(submission: Submission, predict: Predict) -> None:
    """Refuse settings of prediction that one of the images cannot follow."""
    if "onnx" in submission.images:
        for key, value, there in (("backend", "torch", "onnx"), ("precision", "bf16", "fp32")):
            if getattr(predict, key) == value:
                raise UserError(
                    f"challenges.objectnet.predict.{key} '{value}' needs torch, which the image of runtime "
                    f"'{submission.runtime}' is without; set it to auto or {there}, or runtime to torch"
                )


@dataclass(frozen=True)
class Settings:
    """What is baked into the image as settings.json."""

    predict: Predict = Predict()
