"""Small data and trained folds, made by hand in the forms in which fetch and the training leave them."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from containers.kit.files import sha256
from containers.salt import networks
from containers.salt.infer import predict
from containers.salt.metric import average_precision
from containers.salt.postprocess import Cleaning, probabilities_of
from containers.salt.rle import SIZE, encode
from containers.salt.settings import VARIANTS, Inputs
from containers.salt.variants import Choices, masks
from workflow.scripts.salt import pack, packed

Array = np.ndarray[Any, Any]
SIDES = (9, 18, 33, 27)  # pixels of a block of salt
DARK, BRIGHT = 60, 190  # grey levels without and with salt
INPUTS = Inputs(offset=125.0, scale=10.0)
NETS = "tests.salt_container.nets"
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "classifier": (f"{NETS}:AnyBright", {"level": 1.0}),
    "segmentation": (f"{NETS}:Bright", {"level": 0.5}),
}
CHOICES = Choices(keep=0.6, segmentation=Cleaning(threshold=0.4, least=200), both=Cleaning(threshold=0.4, least=500))
PLAIN = {"train_loss": 0.5, "val_loss": 0.4, "lr": 0.01, "seconds": 3.0}


def salt(random: np.random.Generator, number: int) -> Array:
    """A block; nothing in one of three."""
    mask = np.zeros((SIZE, SIZE), bool)
    if number % 3:
        side, (top, left) = SIDES[number % len(SIDES)], random.integers(0, 60, 2)
        mask[top : top + side, left : left + side] = True
    return mask


def picture(path: Path, mask: Array, random: np.random.Generator) -> None:
    grey = np.where(mask, BRIGHT, DARK) + random.integers(-20, 21, mask.shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)).save(path)


def data(folder: Path, train: int = 24, test: int = 10, seed: int = 0) -> Path:
    """The competition's images with their truth beside them; the manifest as fetch writes it."""
    random, root = np.random.default_rng(seed), folder / "competition"
    parts: dict[str, list[dict[str, Any]]] = {"train": [], "test": []}
    truth = []
    for part, count in (("train", train), ("test", test)):
        for number in range(count):
            name, mask = f"{seed:02x}{number:07x}{'ab'[part == 'test']}", salt(random, number)
            picture(root / part / "images" / f"{name}.png", mask, random)
            entry = {"id": name, "image": f"{part}/images/{name}.png", "z": int(random.integers(50, 950))}
            if part == "train":
                (root / "train" / "masks").mkdir(exist_ok=True)
                Image.fromarray(mask.astype(np.uint16) * np.uint16(65535)).save(root / f"train/masks/{name}.png")
                text = encode(mask) or None
                entry |= {"mask": f"train/masks/{name}.png", "rle": text, "coverage": float(mask.mean())}
            else:
                truth.append((name, encode(mask)))
            parts[part].append(entry)
    write_csv(folder / "truth.csv", ("id", "rle_mask"), truth)
    content = {"schema": 1, "source": "demo", "root": str(root), "fingerprint": f"made by hand {seed}", **parts}
    return write(folder / "manifest.json", content)


def write(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> Path:
    with path.open("w", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows([header, *rows])
    return path


def rows(path: Path) -> dict[str, str]:
    """A submission's masks by the images' ids, as Kaggle reads them."""
    with path.open(newline="") as stream:
        lines = list(csv.reader(stream))
    assert lines[0] == ["id", "rle_mask"]
    return {line[0]: line[1] for line in lines[1:]}


def change(path: Path, **changes: Any) -> None:
    write(path, {**json.loads(path.read_text()), **changes})


def fold(
    folder: Path, packed_in: Path, kind: str, number: int, inputs: Inputs, model: tuple[str, dict[str, Any]]
) -> Path:
    """Two snapshots that differ a little, and what they say together of the fold's images."""
    images = packed.read(packed_in)
    folder.mkdir(parents=True)
    inputs = replace(inputs, depth_mean=images.mean, depth_std=images.std)
    name, args = model
    nets, snapshots = [], []
    for epoch in (2, 4):
        torch.manual_seed(10 * number + epoch)
        make = networks.classifier if kind == "classifier" else networks.segmenter
        network = make(name, args, inputs.channels).eval()
        with torch.no_grad():
            for value in network.parameters():
                value.add_(0.1 * number + 0.01 * epoch)
        path = folder / f"epoch_{epoch}.safetensors"
        save_file({key: value.contiguous() for key, value in network.state_dict().items()}, path)
        snapshots.append({"epoch": epoch, "file": path.name, "sha256": sha256(path)})
        nets.append(network)
    index = images.judged(number)
    logits = predict(nets, images.images[index], images.depths[index] if inputs.depth else None, inputs)
    said = logits.clip(-6e4, 6e4).astype(np.float16) if logits.ndim > 1 else logits
    np.savez(folder / "judged.npz", index=index, logits=said)
    own = {"accuracy": 0.9, "auc": 0.95} if kind == "classifier" else {"ap": 0.8}
    write(
        folder / "fold.json",
        {
            "schema": 1,
            "kind": kind,
            "fold": number,
            "model": name,
            "model_args": args,
            "inputs": asdict(inputs),
            "snapshots": snapshots,
            "history": [{"epoch": epoch, **PLAIN, **own} for epoch in (1, 2, 3, 4)],
            "train": {"epochs": 4, "cycle": 2},
            "seed": 2018,
            "data": images.fingerprint,
            "trained": len(images.ids) - len(index),
            "judged": len(index),
            "notes": [f"a remark on the {kind}"],
            "versions": {"torch": "2.0"},
        },
    )
    return folder


def tuned(path: Path, packed_in: Path, classifier: Sequence[Path], segmentation: Sequence[Path]) -> Path:
    """What tune would say of CHOICES on these folds, one image after another."""
    images = packed.read(packed_in)
    chances: dict[int, float] = {}
    for folder in classifier:
        with np.load(folder / "judged.npz") as content:
            chances |= dict(zip(content["index"].tolist(), probabilities_of(content["logits"]), strict=True))
    scores: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
    for folder in segmentation:
        with np.load(folder / "judged.npz") as content:
            for place, pixels in zip(content["index"].tolist(), probabilities_of(content["logits"]), strict=True):
                for variant in VARIANTS:
                    found = masks(variant, np.array([chances[place]]), pixels[None], CHOICES)[0]
                    scores[variant].append(average_precision(np.asarray(images.masks[place]), found))
    content = {
        "schema": 1,
        "keep": CHOICES.keep,
        "segmentation": asdict(CHOICES.segmentation),
        "both": asdict(CHOICES.both),
        "images": len(scores["both"]),
        "scores": {variant: float(np.mean(values)) for variant, values in scores.items()},
        "tables": {"segmentation": [], "both": []},
        "notes": ["the CRF did no good"],
    }
    return write(path, content)


@dataclass(frozen=True)
class Chain:
    """All that comes before the artifact."""

    folder: Path
    manifest: Path
    packed: Path
    classifier: tuple[Path, ...]
    segmentation: tuple[Path, ...]
    tuned: Path

    @property
    def content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.manifest.read_text())
        return content

    @property
    def images(self) -> Path:
        return Path(self.content["root"]) / "test" / "images"

    @property
    def truth(self) -> dict[str, str]:
        return rows(self.folder / "truth.csv")

    def words(self, **changes: Any) -> list[str]:
        """Of the command that makes the artifact."""
        given = {"classifier": self.classifier, "segmentation": self.segmentation, **changes}
        named = [word for kind in ("classifier", "segmentation") for word in (f"--{kind}", *map(str, given[kind]))]
        return [*named, "--tuned", str(self.tuned), "--packed", str(self.packed)]


def chain(
    folder: Path,
    inputs: Inputs = INPUTS,
    models: Mapping[str, tuple[str, dict[str, Any]]] = MODELS,
    folds: int = 2,
) -> Chain:
    manifest, place = data(folder), folder / "packed"
    words = ["--manifest", str(manifest), "--train", json.dumps({"folds": folds, "seed": 1}), "--workers", "1"]
    assert pack.main([*words, "--output", str(place)]) == 0
    made = {
        kind: tuple(
            fold(folder / kind / f"fold_{number}", place, kind, number, inputs, models[kind]) for number in range(folds)
        )
        for kind in ("classifier", "segmentation")
    }
    told = tuned(folder / "tuned.json", place, made["classifier"], made["segmentation"])
    return Chain(folder, manifest, place, made["classifier"], made["segmentation"], told)
