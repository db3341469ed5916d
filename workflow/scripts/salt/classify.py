"""Train the classifier of one fold: is there any salt in an image?

    python -m workflow.scripts.salt.classify --packed scratch/salt/packed --fold 0 --settings '{"epochs": 12}' \\
        --scratch scratch/salt/learning/classifier_fold_0 --output scratch/salt/folds/classifier_0

Killed and started again, it goes on where it was.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from containers.kit.distributed import Group
from containers.kit.errors import reports_errors
from containers.kit.task import Row
from containers.salt.settings import Classifier
from workflow.scripts.salt import packed
from workflow.scripts.salt.learn import Network, arguments, ask, prepared, run
from workflow.scripts.salt.packed import Array


class Salt(Network):
    """One logit an image, above zero where it has salt."""

    columns = ("accuracy", "auc")

    def losses(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        given, masks = self.changed(batch)
        salt = masks.flatten(start_dim=1).amax(dim=1)  # what is left of it in the changed image
        return F.binary_cross_entropy_with_logits(model(given).float(), salt, reduction="sum").reshape(1)

    def validate(self, model: nn.Module, group: Group) -> tuple[tuple[float, ...], Row]:  # noqa: ARG002
        logits, salt = ask(self.job, [model], "none"), self.job.packed.salt[self.job.judged]
        target = torch.from_numpy(salt.astype(np.float32))
        loss = float(F.binary_cross_entropy_with_logits(torch.from_numpy(logits), target))
        area = auc(salt, logits)
        return (area or 0.0, -loss), {"val_loss": loss, "accuracy": float(((logits > 0) == salt).mean()), "auc": area}


def auc(salt: Array, logits: Array) -> float | None:
    """The area under the ROC curve; None where all images are of one kind."""
    return float(roc_auc_score(salt, logits)) if len(set(salt)) == 2 else None


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    args = arguments(__doc__, "classifier").parse_args(argv)
    images = packed.read(args.packed)
    job = prepared(args, "classifier", Classifier, images, np.ones(len(images.ids), bool))
    run(job, Salt, args.output)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
