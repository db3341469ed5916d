"""Networks of timm's and torchvision's, which not every machine can import; no weights are fetched."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from containers.kit.errors import UserError, did_you_mean
from containers.objectnet.settings import Transform

if TYPE_CHECKING:
    from torch import nn

TIMM = "timm:"


class NotUsableError(UserError):
    """The package itself cannot be used here."""


def of_timm(model: str, model_args: Mapping[str, Any]) -> nn.Module:
    timm, name = _known_to_timm(model)
    return made(model, lambda: timm.create_model(name, pretrained=False, **model_args))


def of_torchvision(model: str, model_args: Mapping[str, Any], also: list[str]) -> nn.Module:
    """`also` is what else the name could have meant."""
    models = _imported("torchvision.models")
    known = models.list_models(module=models)
    if model not in known:
        hint = did_you_mean(model, [*also, *known], f"write timm:NAME for timm's, or one of {', '.join(also)}")
        raise UserError(
            f"model {model} is neither in model/model_description.py nor a classifier of torchvision's; {hint}"
        )
    return made(model, lambda: models.get_model(model, weights=None, **model_args))


def transform_of_timm(model: str, model_args: Mapping[str, Any]) -> Transform:
    """What timm evaluates the network with; the network itself is not made."""
    timm, name = _known_to_timm(model)
    known = timm.get_pretrained_cfg(name)
    given = {"img_size": model_args["img_size"]} if "img_size" in model_args else {}
    config = timm.data.resolve_data_config(given, pretrained_cfg=known.to_dict() if known else {})
    _, height, width = config["input_size"]
    how = {"center": "shorter", "squash": "squash"}.get(config["crop_mode"])
    try:
        if height != width or how is None or config["interpolation"] not in ("bilinear", "bicubic"):
            raise ValueError(f"it wants {config}")
        return Transform(
            size=height,
            crop=_crop(height, config["crop_pct"]),
            resize=how,  # type: ignore[arg-type]
            interpolation=config["interpolation"],
            mean=tuple(config["mean"]),
            std=tuple(config["std"]),
        )
    except ValueError as error:
        raise UserError(
            f"the transform of {model} has no equal here ({error}); set the candidate's transform"
        ) from None


def made(model: str, make: Any) -> nn.Module:
    """What the constructor gives; if it fails, its words are told."""
    from torch import nn

    try:
        network = make()
    except UserError:
        raise
    except Exception as error:  # anything can go wrong in a network that a participant wrote
        raise UserError(f"model {model} cannot be made ({first_line(error)}); see its class and model_args") from error
    if not isinstance(network, nn.Module):
        raise UserError(f"model {model} made a {type(network).__name__}, where a torch.nn.Module is needed")
    return network


def first_line(error: BaseException) -> str:
    words = str(error).strip().splitlines()
    return f"{type(error).__name__}: {words[0]}" if words else type(error).__name__


def _known_to_timm(model: str) -> tuple[Any, str]:
    timm, name = _imported("timm"), model.removeprefix(TIMM)
    if not timm.is_model(name):
        hint = did_you_mean(name.partition(".")[0], timm.list_models(), "timm.list_models() has the names")
        raise UserError(f"timm {timm.__version__} knows no network {name}; {hint}")
    return timm, name


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except (ImportError, RuntimeError, OSError) as error:
        package = name.partition(".")[0]
        raise NotUsableError(
            f"{package} cannot be used on this machine ({first_line(error)}); install it with the torchvision that was "
            "built for the torch that is there, as a torch for the CPU needs the torchvision for the CPU"
        ) from error


def _crop(size: int, share: float) -> float:
    """timm cuts the side that it resizes to down to a whole number, where the transforms here round it."""
    side = int(size / share)
    return share if round(size / share) == side else size / side
