"""The predict container: one chest CT in /input/images/ct, two probabilities in /output.

    SLIPWAY_INPUT=test SLIPWAY_OUTPUT=out SLIPWAY_ARTIFACT=results/stoic/artifact python -m containers.stoic.predict

No worker processes and no shared memory: the platform gives 128 MB of it.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from containers.kit import cpus
from containers.kit.errors import UserError, reports_errors
from containers.kit.files import write_text
from containers.stoic import places

if TYPE_CHECKING:
    import torch

IMAGES = "images/ct"
HEADERS, DATA = (".mha", ".mhd"), (".zraw", ".raw")
FILES = {"covid": "probability-covid-19.json", "severe": "probability-severe-covid-19.json"}


def find_image(folder: Path) -> Path:
    """The only image in the folder; an .mhd and its data file count as one."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    except OSError as error:
        raise UserError(f"{folder} cannot be read ({error.strerror}); one .mha or .mhd image belongs there") from None
    images = [path for path in paths if path.suffix.lower() in HEADERS]
    if len(images) == 1:
        return images[0]
    if images:
        raise UserError(
            f"{folder} has {len(images)} images ({', '.join(path.name for path in images[:5])}); give exactly one"
        )
    there = ", ".join(path.name for path in paths[:5]) or "no files"
    raise UserError(f"{folder} has no image: there are {there}; give one .mha, or one .mhd with its data file")


def predict(image: Path, artifact: Path, flip: bool) -> dict[str, float]:
    """The mean probability of all folds, one after another."""
    cpus.limit_threads()
    import torch

    from containers.stoic.artifact import read_recipe
    from containers.stoic.demographics import encode
    from containers.stoic.preprocess import prepare

    recipe = read_recipe(artifact)
    voxels, person = prepare(image, recipe.preprocess)
    images = torch.from_numpy(voxels).float()[None, None]
    people = torch.tensor([encode(person.age, person.sex)])
    torch.backends.cudnn.benchmark = False  # the fastest kernel of the day may round otherwise
    torch.backends.cudnn.deterministic = True
    weights = [artifact / fold.file for fold in recipe.weights]
    answers = _on_any_device(recipe.network(), weights, images, people, flip)
    return dict(zip(recipe.outputs, answers, strict=True))


def _on_any_device(model: Any, weights: list[Path], images: Any, people: Any, flip: bool) -> list[float]:
    """On the GPU where there is one and it suits, else on the CPU: a slow answer is better than none."""
    import torch

    if torch.cuda.is_available():
        try:
            return average(model, weights, images, people, flip, torch.device("cuda"))
        except RuntimeError as error:  # its memory ended, or this torch has no code for it
            print(f"warning: the GPU failed ({str(error).splitlines()[0]}); using the CPU", file=sys.stderr, flush=True)
            torch.cuda.empty_cache()
    return average(model, weights, images, people, flip, torch.device("cpu"))


def average(
    model: torch.nn.Module,
    weights: list[Path],
    images: torch.Tensor,
    people: torch.Tensor,
    flip: bool,
    device: torch.device,
) -> list[float]:
    import torch

    from containers.stoic.artifact import load_weights
    from containers.stoic.infer import probabilities

    model = model.to(device).eval()
    images, people = images.to(device), people.to(device)
    answers = []
    for path in weights:
        load_weights(model, path)
        answers.append(probabilities(model, images, people, flip)[0].cpu())
    values: list[float] = torch.stack(answers).mean(dim=0).tolist()
    return values


def write(values: dict[str, float], folder: Path) -> None:
    """Two files with a bare number each; none where a number is not a probability."""
    for name, value in values.items():
        if not (math.isfinite(value) and 0 <= value <= 1):
            raise UserError(f"the model says {value} for {name}, which is no probability; verify the artifact")
    for name, file in FILES.items():
        write_text(folder / file, json.dumps(values[name]))


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args(argv)
    image = find_image(places.place("INPUT") / IMAGES)
    flip = places.settings().predict.flip if places.place("SETTINGS").is_file() else True
    values = predict(image, places.place("ARTIFACT"), flip)
    write(values, places.place("OUTPUT"))
    print("  ".join(f"{name} {value:.4f}" for name, value in values.items()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
