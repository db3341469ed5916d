"""Train a detector on what setup.py prepared. Each key of config.jsonschema and presets.json is an option."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial

from network import STRIDES
from options import counted, parser_of, side

LEAST = 64  # below, the last features of a picture are one, which a batch of one has no statistics of


def parser() -> argparse.ArgumentParser:
    options = parser_of(__doc__)
    options.add_argument("--batch-size", type=counted, default=16)
    options.add_argument("--img-size", type=partial(side, least=LEAST, multiple=max(STRIDES)), default=512)
    options.add_argument("--data", required=True, help="the file with the names of the labels")
    return options


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    return parser().parse_args(argv)
