"""The six variants on the training images, each judged by the folds that did not see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from containers.kit.errors import UserError
from containers.salt import metric
from containers.salt.metric import Scores
from containers.salt.postprocess import probabilities_of
from containers.salt.settings import VARIANTS
from containers.salt.variants import Choices, masks
from workflow.scripts.salt import oof
from workflow.scripts.salt.packed import Packed
from workflow.scripts.salt.tuned import Tuned

CHUNK = 512
NEAR = 0.005  # by so much a mean may differ, as numbers are rounded on their way through files


def scores(
    packed: Packed, classifier: Sequence[Path], segmentation: Sequence[Path], choices: Choices
) -> dict[str, Scores]:
    """Of every image that a segmentation network judged; the networks are in the folders of their folds."""
    salt = np.full(len(packed.ids), np.nan, np.float32)
    classified = oof.judged(classifier, "classifier", packed)
    salt[classified.places] = probabilities_of(classified.logits)
    segmented = oof.judged(segmentation, "segmentation", packed)
    missing = sorted(set(segmented.folds) - set(classified.folds))
    if missing:
        raise UserError(f"--classifier has no fold {missing[0]}, which --segmentation has; name it too")
    found: dict[str, list[Scores]] = {variant: [] for variant in VARIANTS}
    for first in range(0, len(segmented.places), CHUNK):
        some = segmented.places[first : first + CHUNK]
        pixels, truths = probabilities_of(segmented.logits[first : first + CHUNK]), np.asarray(packed.masks[some])
        for variant in VARIANTS:
            found[variant].append(metric.of_all(truths, masks(variant, salt[some], pixels, choices)))
    return {variant: np.concatenate(parts) for variant, parts in found.items()}


def compare(found: Mapping[str, Scores], tuned: Tuned) -> None:
    """What was tuned must have been tuned on these very predictions."""
    for variant, own in found.items():
        if tuned.images != len(own) or abs(float(own.mean()) - tuned.scores[variant]) > NEAR:
            raise UserError(
                f"{tuned.path} says {tuned.scores[variant]:.4f} of {variant} on {tuned.images:,} images, and these "
                f"folds give {own.mean():.4f} on {len(own):,}; tune again"
            )
