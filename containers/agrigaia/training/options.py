"""The options that every architecture's train.py has, by the keys of config.jsonschema and presets.json.

What setup.py alone uses is taken as well, since config_to_args.py passes on all but the split.
"""

from __future__ import annotations

import argparse
import math

from augment import KINDS
from efficientnet import SIZES
from schedule import OPTIMIZERS, SCHEDULERS


def parser_of(description: str | None) -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(description=description, allow_abbrev=False)
    add = options.add_argument
    add("--epochs", type=counted, default=50)
    add("--optimizer", choices=OPTIMIZERS, default="AdamW")
    add("--learning-rate", type=amount, default=0.001)
    add("--lr-scheduler", choices=SCHEDULERS, default="ReduceLROnPlateau")
    add("--weight-decay", type=amount, default=0.01)
    add("--model", choices=tuple(SIZES), default="efficientnet-lite0")
    add("--pretrained", action="store_true", help="begin with weights of ImageNet, where a package has them")
    add("--augmentation", choices=KINDS, default="aerial")
    add("--strict", action="store_true", help="setup.py has seen to it")
    add("--seed", type=whole, default=2021)
    add("--images-dir", required=True)
    add("--labels-dir", required=True)
    add("--output-dir", required=True)
    add("--model-file", default="model.pt", help="in --output-dir; custom.json's model_filepath is the same")
    return options


def whole(text: str) -> int:
    """From 0 on; a form may write 50 as 50.0."""
    value = amount(text)
    if value % 1:
        raise argparse.ArgumentTypeError(f"{text} is no whole number")
    return int(value)


def counted(text: str) -> int:
    if whole(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return whole(text)


def amount(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no amount; give 0 or more")
    return value


def side(text: str, least: int, multiple: int = 1) -> int:
    """Of pictures, in pixels."""
    value = whole(text)
    if value < least or value % multiple:
        wanted = f"{least} or more" + (f", a multiple of {multiple}" if multiple > 1 else "")
        raise argparse.ArgumentTypeError(f"{text} pixels are not possible; give {wanted}")
    return value
