"""How long the salt container's program takes for so many images, and how much memory: random images, random networks.

    OMP_NUM_THREADS=2 python -m tests.benchmarks.salt_predict --images 18000

The networks are of the demo's sizes; their masks are noise, of more runs than any salt has.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from containers.kit.files import sha256
from containers.salt import networks
from containers.salt.postprocess import Cleaning
from containers.salt.rle import SIZE
from containers.salt.settings import VARIANTS, Inputs

KINDS = {"classifier": networks.classifier, "segmentation": networks.segmenter}


def artifact(folder: Path, models: dict[str, str], args: dict[str, dict[str, object]], counts: dict[str, int]) -> None:
    """A model of untrained networks."""
    folder.mkdir()
    said = {}
    for kind, make in KINDS.items():
        files = []
        for number in range(counts[kind]):
            torch.manual_seed(number)
            path = folder / f"{kind}_{number}.safetensors"
            save_file(make(models[kind], args[kind], 1).state_dict(), path)
            files.append({"file": path.name, "sha256": sha256(path)})
        said[kind] = {"model": models[kind], "model_args": args[kind], "files": files}
    cleaning = asdict(Cleaning(least=80))
    choices = {"keep": 0.2, "segmentation": cleaning, "both": cleaning}
    content = {"schema": 1, "challenge": "salt", "inputs": asdict(Inputs(scale=60)), "choices": choices, **said}
    (folder / "model.json").write_text(json.dumps(content))


def images(folder: Path, count: int) -> None:
    """Grey noise, smooth enough for the PNGs to be of the challenge's size."""
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(count):
        coarse = random.integers(0, 256, (13, 13), np.uint8)
        grey = Image.fromarray(coarse).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
        Image.merge("RGB", [grey] * 3).save(folder / f"{number:010x}.png")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=18_000)
    parser.add_argument("--variant", choices=VARIANTS, default="segmentation_post_processing")
    parser.add_argument("--classifier", default="resnet18")
    parser.add_argument("--classifier-args", type=json.loads, default={"width": 0.5})
    parser.add_argument("--classifiers", type=int, default=4, help="networks that are asked together")
    parser.add_argument("--segmentation", default="unet")
    parser.add_argument("--segmentation-args", type=json.loads, default={"width": 0.25})
    parser.add_argument("--segmenters", type=int, default=2)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--tta", choices=("none", "hflip"), default="hflip")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models = {"classifier": args.classifier, "segmentation": args.segmentation}
        own = {"classifier": args.classifier_args, "segmentation": args.segmentation_args}
        artifact(folder / "artifact", models, own, {"classifier": args.classifiers, "segmentation": args.segmenters})
        images(folder / "input", args.images)
        settings = {"variant": args.variant, "batch": args.batch, "tta": args.tta}
        (folder / "settings").write_text(json.dumps({"predict": settings}))
        places = {f"SLIPWAY_{place.upper()}": str(folder / place) for place in ("input", "output", "settings")}
        environ = {**os.environ, **places, "SLIPWAY_ARTIFACT": str(folder / "artifact")}
        begun = time.monotonic()
        subprocess.run([sys.executable, "-m", "containers.salt.predict"], env=environ, check=True)
        seconds = time.monotonic() - begun
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (1 << 20)
    print(f"{args.images:,} images in {seconds:.1f} s, {args.images / seconds:.1f} a second; peak {peak:.2f} GiB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
