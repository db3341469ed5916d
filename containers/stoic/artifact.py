"""What a training leaves for prediction: the weights of each fold, model.json, and the model card.

    python -m containers.stoic.artifact --trained scratch/stoic/trained --output results/stoic/artifact

The command verifies a trained artifact and copies it, as a whole, to where the predict image is built from.
"""

from __future__ import annotations

import argparse
import re
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from containers.kit.errors import UserError, reports_errors
from containers.kit.files import read_json, replacing, replacing_tree, sha256
from containers.kit.settings import build
from containers.stoic import models
from containers.stoic.settings import Preprocess, Settings

MODEL, CARD, CARD_TEXT = "model.json", "card.json", "card.md"
WEIGHTS = re.compile(r"fold\d+\.safetensors")
STAMP = ".snakemake_timestamp"  # Snakemake leaves it in every folder that a rule makes


@dataclass(frozen=True)
class Fold:
    fold: int
    file: str
    sha256: str


@dataclass(frozen=True)
class Recipe:
    """model.json: all that prediction needs besides the weights."""

    schema: int
    challenge: str
    outputs: tuple[str, ...]
    model: str
    model_args: dict[str, Any]
    demographics: bool
    preprocess: Preprocess
    folds: tuple[dict[str, Any], ...] = field(default_factory=tuple)

    @property
    def weights(self) -> list[Fold]:
        return [build(Fold, fold, "folds") for fold in self.folds]

    def network(self) -> nn.Module:
        return models.build(self.model, self.model_args, self.demographics)


def recipe(settings: Settings, folds: Sequence[Fold]) -> Recipe:
    train = settings.train
    parts = tuple(asdict(fold) for fold in folds)
    return Recipe(
        1, "stoic", models.OUTPUTS, train.model, train.model_args, train.demographics, settings.preprocess, parts
    )


def read_recipe(folder: Path) -> Recipe:
    path = folder / MODEL
    content = read_json(path)
    if not isinstance(content, dict) or content.get("challenge") != "stoic" or content.get("schema") != 1:
        raise UserError(f"{path} does not describe a model of STOIC; train again")
    found = build(Recipe, content, MODEL)
    if not found.folds:
        raise UserError(f"{path} names no weights; the training had not finished its first epoch, let it go on")
    return found


def load_weights(model: nn.Module, path: Path) -> None:
    """Put the weights of `path` into `model`: all of them, and nothing else."""
    try:
        model.load_state_dict(load_file(path))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise UserError(
            f"{path} does not hold the weights of {MODEL}: {str(error).splitlines()[0]}; train again"
        ) from None


def verify(folder: Path) -> Recipe:
    """Refuse an artifact that prediction could not use, or that holds anything it does not need."""
    found = read_recipe(folder)
    expected = {fold.file for fold in found.weights} | {MODEL, CARD, CARD_TEXT}
    there = {str(path.relative_to(folder)) for path in folder.rglob("*")} - {STAMP}
    if there != expected:
        missing, extra = sorted(expected - there), sorted(there - expected)
        said = [f"lacks {', '.join(missing)}"] * bool(missing) + [f"holds {', '.join(extra)} besides"] * bool(extra)
        raise UserError(f"{folder} {' and '.join(said)}; an artifact is what {MODEL} names and nothing else")
    read_json(folder / CARD)
    model = found.network()
    for fold in found.weights:
        path = folder / fold.file
        if WEIGHTS.fullmatch(fold.file) is None or sha256(path) != fold.sha256:
            raise UserError(f"{path} is not the file that {MODEL} names (its SHA-256 differs); train again")
        load_weights(model, path)
        broken = [name for name, value in model.state_dict().items() if not torch.isfinite(value).all()]
        if broken:
            raise UserError(
                f"{path} has weights that are not finite numbers, in {broken[0]}; lower train.lr and train again"
            )
    return found


def export(trained: Path, output: Path) -> Recipe:
    """Verify `trained`, and put a copy of it in the place of `output` as a whole."""
    found = verify(trained)
    with replacing_tree(output) as fresh:
        for path in sorted(set(trained.iterdir()) - {trained / STAMP}):
            with replacing(fresh / path.name) as partial:
                shutil.copyfile(path, partial)
        verify(fresh)
    return found


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trained", type=Path, required=True, help="folder that the training wrote")
    parser.add_argument("--output", type=Path, required=True, help="folder to replace with a verified copy")
    args = parser.parse_args(argv)
    found = export(args.trained, args.output)
    print(f"{args.output}: {found.model}, {len(found.folds)} folds, verified")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
