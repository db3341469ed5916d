"""The challenge's score: the share of ten thresholds that a mask's overlap with the truth exceeds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from containers.salt.rle import CHUNK, Masks

PARTS = 20
THRESHOLDS = tuple(range(10, PARTS))  # in twentieths, 0.50 to 0.95: an overlap on one of them does not exceed it

Scores = npt.NDArray[np.float64]


def average_precision(truth: Masks, predicted: Masks) -> float:
    """Of one image. Two empty masks agree; an empty mask and one with salt do not at all."""
    return float(of_all(truth[None], predicted[None])[0])


def of_all(truths: Masks, predictions: Masks) -> Scores:
    """Of each image; the challenge's score is their mean."""
    if truths.shape != predictions.shape:
        raise ValueError(f"masks of {truths.shape} and {predictions.shape}")
    both = np.empty(len(truths), np.int64)
    either = np.empty(len(truths), np.int64)
    for begin in range(0, len(truths), CHUNK):
        chunk = slice(begin, begin + CHUNK)
        both[chunk] = np.count_nonzero(truths[chunk] & predictions[chunk], axis=(1, 2))
        either[chunk] = np.count_nonzero(truths[chunk] | predictions[chunk], axis=(1, 2))
    # In whole numbers: a half of a float may be a bit above or below the threshold.
    exceeded = PARTS * both[:, None] > np.array(THRESHOLDS) * either[:, None]
    scores: Scores = np.where(either == 0, 1.0, exceeded.sum(axis=1) / len(THRESHOLDS))
    return scores
