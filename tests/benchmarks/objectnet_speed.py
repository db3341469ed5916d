"""Images a second of ObjectNet's evaluation: the template's plain loop, and ours with ONNX Runtime and with torch.

    python -m tests.benchmarks.objectnet_speed --images 400 --model EfficientNetLite0

The images are cut out of real photos, as the challenge has them: 484 x 274, RGBA, PNG, a red border. The plain loop is
what the template does: Pillow and one transform after the other in the processes of a DataLoader, as many as there are
CPUs, and the network as it is, in single precision. Each way runs in a process of its own, one after another; what is
timed goes from the first file to the last answer, without the start of Python and of the network.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from PIL import Image

from containers.kit import cpus, memory
from containers.kit.errors import reports_errors
from containers.kit.files import sha256, write_json
from containers.objectnet import pictures
from tests.objectnet_eval import parts

MODELS = {"EfficientNetLite0": ("efficientnet-lite0", 224), "EfficientNetLite2": ("efficientnet-lite2", 260)}
PLAIN = "plain loop"
OURS = {"ours, ONNX": ("onnx", "auto"), "ours, torch": ("torch", "auto"), "ours, torch bf16": ("torch", "bf16")}
WAYS = (PLAIN, *OURS)
BATCH, INNER, BORDER = 96, (480, 270), 2
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def prepare(folder: Path, model: str, images: int) -> None:
    """The images, and the network in both forms."""
    from safetensors.torch import save_model

    from containers.objectnet.networks import load, network
    from workflow.scripts.objectnet import export_onnx, weights

    photos = parts.imagenet_photos(folder / "packages")
    (folder / "images").mkdir()
    random = Random(0)
    for number in range(images):
        image = parts.bordered(crop(photos[number % len(photos)], random))
        image.convert("RGBA").save(folder / "images" / f"{number:05}.png")
    package, size = MODELS[model]
    made = network(model, {})
    load(made, weights.find(model, f"package:{package}", folder / "packages"))
    save_model(made, str(folder / "model.safetensors"))
    export_onnx.export(made.eval(), size, folder / "model.onnx")
    checksums = {name: sha256(folder / name) for name in ("model.onnx", "model.safetensors")}
    said = {"model": model, "classes": 1000, "checksums": checksums, "transform": {"size": size}}
    write_json(folder / "model.json", said)


def crop(photo: Image.Image, random: Random) -> Image.Image:
    """A part of it in the shape of the challenge's images."""
    width = int(photo.width * random.uniform(0.6, 1))
    height = min(photo.height, width * INNER[1] // INNER[0])
    left, top = random.randint(0, photo.width - width), random.randint(0, photo.height - height)
    return photo.crop((left, top, left + width, top + height)).resize(INNER, Image.Resampling.BICUBIC)


class Photos:
    """A dataset for torch's DataLoader, with the template's transforms as torchvision computes them."""

    def __init__(self, paths: Sequence[Path], size: int) -> None:
        self.paths, self.size = paths, size

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Any:
        import torch

        image = Image.open(self.paths[index]).convert("RGB")
        image = image.crop((BORDER, BORDER, image.width - BORDER, image.height - BORDER))
        wide = int(self.size * image.width / image.height)  # Resize: the images are wider than high
        image = image.resize((wide, self.size), Image.Resampling.BILINEAR)
        left = round((wide - self.size) / 2)  # CenterCrop
        image = image.crop((left, 0, left + self.size, self.size))
        tensor = torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous().to(torch.float32).div(255)  # ToTensor
        return tensor.sub_(torch.tensor(MEAN)[:, None, None]).div_(torch.tensor(STD)[:, None, None])  # Normalize


def plain(folder: Path, model: str, paths: Sequence[Path]) -> Iterator[Any]:
    """What the template's loop says of the images: five classes for each."""
    import torch
    from torch.utils.data import DataLoader

    from containers.objectnet.networks import load, network

    made = network(model, {})
    load(made, folder / "model.safetensors")
    made.eval()
    photos: Any = Photos(paths, MODELS[model][1])
    loader = DataLoader(photos, batch_size=BATCH, num_workers=cpus.available())
    yield None
    with torch.no_grad():
        for batch in loader:
            yield torch.softmax(made(batch), dim=1).topk(5).indices.numpy()


def ours(folder: Path, model: str, paths: Sequence[Path], how: Sequence[Any]) -> Iterator[Any]:
    from containers.objectnet.backends import open_backend
    from containers.objectnet.inference import logits

    opened = open_backend(model, folder / "model.safetensors", backend=how[0], precision=how[1])
    print(opened.described, file=sys.stderr)
    yield None
    workers = cpus.available()
    for found in logits(paths, opened.transform, opened, batch_size=BATCH, workers=workers, border=BORDER):
        yield np.argsort(-found.logits, axis=1, kind="stable")[:, :5]


def alone(way: str, folder: Path, model: str) -> dict[str, float]:
    """In a process of its own."""
    cpus.limit_threads()
    paths = pictures.find(folder / "images")
    answers = plain(folder, model, paths) if way == PLAIN else ours(folder, model, paths, OURS[way])
    next(answers)  # the network is ready
    begun = time.monotonic()
    guesses = np.concatenate(list(answers))
    seconds = time.monotonic() - begun
    np.save(folder / f"{way}.npy", guesses)
    workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10
    return {"seconds": seconds, "peak": memory.peak(), "worker": workers}


def measured(way: str, folder: Path, model: str) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.objectnet_speed", "--model", model]
    done = subprocess.run(
        [*command, "--way", way, "--folder", str(folder)], stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--model", choices=MODELS, default="EfficientNetLite0")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.way:
        print(json.dumps(alone(args.way, args.folder, args.model)))
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, args.model, args.images)
        print(
            f"{args.model}, {args.images} images of 484 x 274, batches of {BATCH}, {cpus.available()} CPUs", flush=True
        )
        print(f"{'way':<18}{'images/s':>10}{'plain = 1':>11}{'peak GiB':>10}  equal top-5", flush=True)
        rows: dict[str, dict[str, float]] = {}
        for way in WAYS:
            row = rows[way] = measured(way, folder, args.model)
            theirs, mine = (np.load(folder / f"{one}.npy") for one in (PLAIN, way))
            equal = int((theirs == mine).all(axis=1).sum())
            ratio = rows[PLAIN]["seconds"] / row["seconds"]
            more = f", and {row['worker'] / memory.GIB:.2f} GiB a loading process" if row["worker"] else ""
            print(
                f"{way:<18}{args.images / row['seconds']:>10.1f}{ratio:>11.2f}{row['peak'] / memory.GIB:>10.2f}"
                f"  {equal} of {args.images}{more}",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
