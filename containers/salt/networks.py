"""The networks by name: those that find salt, and those that say whether there is any; or one's own, `module:Class`.

One's own is made as `Class(channels=c, **args)`. A segmenter takes (n, c, 128, 128) to logits (n, 1, 128, 128), where
further channels are of deep supervision and given in training only; a classifier gives logits (n,).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from containers.kit.errors import UserError
from containers.kit.named import Maker, make
from containers.salt import settings
from containers.salt.classifier import Classifier
from containers.salt.encoder_decoder import EncoderDecoder
from containers.salt.encoders import load_encoder
from containers.salt.unet import UNet


def segmenter(name: str, args: Mapping[str, Any], channels: int = 1, key: str = "segmentation.model") -> nn.Module:
    """Errors name the settings `key` and `key`_args."""
    return make(name, args, SEGMENTERS, key, channels=channels)


def classifier(name: str, args: Mapping[str, Any], channels: int = 1, key: str = "classifier.model") -> nn.Module:
    return make(name, args, CLASSIFIERS, key, channels=channels)


def load_pretrained(network: nn.Module, path: Path, key: str) -> str:
    """Pretrained weights for the network's encoder; return what was taken."""
    encoder = dict(network.named_children()).get("encoder")
    if encoder is None:
        raise UserError(f"{key} is given, but {type(network).__name__} has no encoder to take it; leave it empty")
    return load_encoder(encoder, path, key)


def _encoder_decoder(encoder: str) -> Maker:
    def made(channels: int, **args: Any) -> nn.Module:
        return EncoderDecoder(channels, encoder, **args)

    return made


def _classifier(network: str) -> Maker:
    def made(channels: int, **args: Any) -> nn.Module:
        return Classifier(channels, network, **args)

    return made


SEGMENTERS: dict[str, Maker] = {
    name: UNet if name == "unet" else _encoder_decoder(name.removesuffix("-scse")) for name in settings.SEGMENTERS
}
CLASSIFIERS: dict[str, Maker] = {name: _classifier(name) for name in settings.CLASSIFIERS}
