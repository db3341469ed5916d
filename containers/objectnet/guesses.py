"""From what a network says of 1000 or 313 classes to five of ObjectNet's objects, the likeliest first."""

from __future__ import annotations

from typing import Any

import numpy as np

from containers.kit.errors import UserError
from containers.objectnet.labels import LABELS, NONE
from containers.objectnet.mapping import GROUPS, OF_IMAGENET
from containers.objectnet.settings import Mode

Numbers = np.ndarray[Any, np.dtype[np.float64]]
Ids = np.ndarray[Any, np.dtype[np.int64]]
GUESSES = 5
IMAGENET = 1000
CLASSES: dict[Mode, int] = {"merge": IMAGENET, "1": IMAGENET, "0": len(LABELS)}

_OBJECTS = np.array(sorted(GROUPS))
_MEMBERS = [GROUPS[number] for number in sorted(GROUPS)]
_COLUMNS = np.concatenate([np.array(one) for one in _MEMBERS])  # of ImageNet's, those of one object side by side
_STARTS = np.cumsum([0, *map(len, _MEMBERS)])[:-1]
_MAPPED = np.array([OF_IMAGENET.get(number, NONE) for number in range(IMAGENET)])


def need(classes: int, mode: Mode) -> None:
    """Refuse a network that does not suit the mode."""
    if classes != CLASSES[mode]:
        fitting = [f"'{other}'" for other, wanted in CLASSES.items() if wanted == classes]
        advice = f"use {' or '.join(fitting)}" if fitting else "it must be a network of ImageNet or of ObjectNet"
        raise UserError(
            f"--convert_outputs_mode {mode} needs a network of {CLASSES[mode]} classes, and this one has {classes}; "
            f"{advice}"
        )


def top5(logits: np.ndarray[Any, Any], mode: Mode, softmax: bool, temperature: float) -> tuple[Ids, Numbers]:
    """For each row of logits five ids and their confidences, which never rise; of equals the lower class goes first.

    merge: ImageNet's classes of one object count together, and those of none not at all. 1: ImageNet's five likeliest
    classes, each as its object or as NONE. 0: the network's classes are ObjectNet's objects.
    """
    need(logits.shape[1], mode)
    scaled = logits.astype(np.float64) / temperature
    values, ids = (scaled, _MAPPED if mode == "1" else np.arange(len(LABELS)))
    if mode == "merge":
        # As logarithms, in which the order is kept also among what is too unlikely for a number above 0.
        values, ids = _log_sums(scaled[:, _COLUMNS], _STARTS), _OBJECTS
    order = np.argsort(-values, axis=1, kind="stable")[:, :GUESSES]
    best = np.take_along_axis(values, order, axis=1)
    return ids[order], np.exp(best - _log_sums(scaled, np.array([0]))) if softmax else best


def _log_sums(values: Numbers, starts: Ids) -> Numbers:
    """Of each run of columns the logarithm of the sum of the powers, by way of differences, which cannot overflow."""
    highest = np.maximum.reduceat(values, starts, axis=1)
    lengths = np.diff(np.append(starts, values.shape[1]))
    powers = np.exp(values - highest.repeat(lengths, axis=1))
    return highest + np.log(np.add.reduceat(powers, starts, axis=1))
