"""Train the segmentation of one fold: where is the salt?

    python -m workflow.scripts.salt.segment --packed scratch/salt/packed --oof results/salt/oof/classifier.csv \\
        --fold 0 --settings '{"epochs": 20, "cycle": 10}' --scratch scratch/salt/learning/segmentation_fold_0 \\
        --output scratch/salt/folds/segmentation_0

It learns from the images of the other folds that the classifier keeps, each by its out-of-fold classification, or with
`images: all` from all of them. Killed and started again, it goes on where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from containers.kit.distributed import Group
from containers.kit.errors import UserError, reports_errors
from containers.kit.settings import parse
from containers.kit.task import Row
from containers.salt.losses import supervised
from containers.salt.metric import of_all
from containers.salt.settings import Segmentation
from containers.salt.transforms import cropped
from workflow.scripts.salt import oof, packed
from workflow.scripts.salt.learn import Network, arguments, ask, prepared, run


class Places(Network):
    """One logit a pixel, above zero where there is salt."""

    columns = ("ap",)

    @property
    def told(self) -> Segmentation:
        assert isinstance(self.job.settings, Segmentation)
        return self.job.settings

    def losses(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        given, masks = self.changed(batch)
        told = self.told
        late = int(batch["epoch"][0]) >= told.lovasz_from * told.epochs
        logits = cropped(model(given))  # what was mirrored in at the edges is no part of the score
        share = told.lovasz if late else 0.0
        return supervised(logits, masks, share, told.deep, told.whole_batch, told.margin).sum().reshape(1)

    def validate(self, model: nn.Module, group: Group) -> tuple[tuple[float, ...], Row]:  # noqa: ARG002
        logits, truths = ask(self.job, [model], "none"), self.job.packed.masks[self.job.judged]
        score = float(of_all(truths, logits > 0).mean())
        told = self.told
        share = told.lovasz if told.lovasz_from < 1 else 0.0
        given, masks = (torch.from_numpy(array).unsqueeze(1) for array in (logits, truths))
        loss = float(supervised(given, masks, share, margin=told.margin).mean())
        return (score, -loss), {"val_loss": loss, "ap": score}


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = arguments(__doc__, "segmentation")
    parser.add_argument("--oof", type=Path, help="what classified wrote; not needed with images: all")
    args = parser.parse_args(argv)
    images, chosen = packed.read(args.packed), np.ones(0, bool)
    if parse(Segmentation, args.settings, "segmentation").images == "all":
        chosen = np.ones(len(images.ids), bool)
    elif args.oof is None:
        raise UserError("--oof is missing, which tells the images that are kept; give what classified wrote")
    else:
        chosen = oof.read(args.oof, images).kept
    run(prepared(args, "segmentation", Segmentation, images, chosen), Places, args.output)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
