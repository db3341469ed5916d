"""Put together what the images need: weights, an ONNX file where one can be made, what they are, and the model card.

    python -m workflow.scripts.objectnet.artifact --chosen scratch/objectnet/chosen.json \\
        --weights scratch/objectnet/weights --photos scratch/objectnet/photos/photos.json \\
        --output results/objectnet/artifact
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from containers.kit.cpus import limit_threads
from containers.kit.errors import UserError, reports_errors
from containers.kit.files import read_json, replacing, replacing_tree, sha256, write_json, write_text
from containers.kit.settings import build
from containers.kit.weights import read
from containers.objectnet import description, networks
from containers.objectnet.description import CHECKPOINT, ONNX, Description
from containers.objectnet.settings import Runtime, Transform
from workflow.scripts.objectnet import card, export_onnx, validation
from workflow.scripts.objectnet.validation import Photos
from workflow.scripts.slipway.revision import revision

ARGS, CARD, CARD_TEXT = "args.json", "card.json", "MODEL_CARD.md"
CHECKED = 32  # photos on which the ONNX file is held against PyTorch
ROOT = Path(__file__).parents[3]


def weights_of(best: Mapping[str, Any], given: Sequence[Path]) -> Path:
    """The file with the chosen weights, the very one that was compared; `given` are records, or folders of them."""
    name = best["candidate"]
    records = [path / f"{name}.json" if path.is_dir() else path for path in given]
    found = [record for record in map(read_json, records) if record["candidate"] == name]
    if not found:
        raise UserError(f"--weights has no record of the candidate {name}; run the rule that finds its weights")
    path = Path(found[0]["file"])
    if not path.is_file() or not sha256(path) == found[0]["sha256"] == best["weights"]["sha256"]:
        raise UserError(f"{path} is not the file that the candidate {name} was compared with; compare it again")
    return path


def save(network: nn.Module, path: Path) -> None:
    """Each tensor under its own name and with its own memory, as the format wants it."""
    seen: set[int] = set()
    tensors: dict[str, Tensor] = {}
    for name, value in network.state_dict().items():
        kept = value.detach().contiguous()
        storage = kept.untyped_storage()
        if storage.data_ptr() in seen or storage.nbytes() != kept.numel() * kept.element_size():
            kept = kept.clone()
        seen.add(storage.data_ptr())
        tensors[name] = kept
    with replacing(path) as partial:
        save_file(tensors, partial, metadata={"format": "pt"})


def onnx(network: nn.Module, transform: Transform | None, photos: Photos, path: Path) -> str:
    """Export it and see that it answers alike; a sentence about it."""
    pictures = photos.pictures(transform, CHECKED)
    export_onnx.export(network, pictures.shape[-1], path)
    try:
        gap = export_onnx.difference(network, path, pictures)
    except Exception:
        path.unlink()
        raise
    print(f"{ONNX}: logits of {len(pictures)} photos differ from PyTorch's by at most {gap:.2g}")
    return f"The ONNX file was held against PyTorch on {len(pictures)} photos: their logits agree."


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chosen", type=Path, required=True, help="what choose wrote")
    parser.add_argument("--weights", type=Path, nargs="+", required=True, help="which files they are, or their folder")
    parser.add_argument("--photos", type=Path, required=True, help="the photos that chose, as JSON")
    parser.add_argument("--runtime", choices=get_args(Runtime), default="torch", help="onnx and both need an ONNX file")
    parser.add_argument("--revision", help="of the code; by default that of this repository")
    parser.add_argument("--output", type=Path, required=True, help="folder to replace with the model")
    args = parser.parse_args(argv)
    limit_threads()
    chosen = read_json(args.chosen)
    best = next(result for result in chosen["candidates"] if result["candidate"] == chosen["chosen"])
    weights = weights_of(best, args.weights)
    transform = build(Transform, best["transform"], "transform") if best["transform"] else None
    network = networks.network(best["model"], best["model_args"])
    networks.load(network, weights)
    network.eval().requires_grad_(False)
    with replacing_tree(args.output) as folder:
        save(network, folder / CHECKPOINT)
        told = _exported(network, transform, validation.read(args.photos), folder / ONNX, args.runtime)
        there = [name for name in (CHECKPOINT, ONNX) if (folder / name).is_file()]
        checksums = {name: sha256(folder / name) for name in there}
        described = Description(best["model"], best["classes"], checksums, best["model_args"], transform)
        write_json(folder / description.FILE, dataclasses.asdict(described))
        write_json(folder / ARGS, {"MODEL_CLASS_NAME": best["model"], "MODEL_CHECKPOINT": CHECKPOINT})
        made = card.make(chosen, told, args.revision or revision(ROOT))
        write_json(folder / CARD, made)
        write_text(folder / CARD_TEXT, card.text(made))
        verify(folder, network)
    sizes = ", ".join(f"{name} {(args.output / name).stat().st_size / 1e6:.1f} MB" for name in there)
    print(f"{args.output}: {best['candidate']} ({best['model']}), {sizes}, verified")
    return 0


def verify(folder: Path, network: nn.Module) -> None:
    """What was written is read back: the description knows the files, and the weights are those in memory."""
    path = folder / CHECKPOINT
    written, own = read(path, CHECKPOINT), network.state_dict()
    same = written.keys() == own.keys() and all(torch.equal(written[name], own[name]) for name in own)
    if description.beside(path) is None or not same:
        raise UserError(f"{path} did not come back from the disk as it was written; see that the disk is sound")


def _exported(network: nn.Module, transform: Transform | None, photos: Photos, path: Path, runtime: Runtime) -> str:
    try:
        return onnx(network, transform, photos, path)
    except export_onnx.NotExportedError as error:
        if runtime != "torch":
            raise UserError(f"--runtime {runtime} needs an ONNX file, but there is none: {error}") from None
        print(f"no {ONNX}: {error}")
        return f"There is no ONNX file: {error}."


if __name__ == "__main__":
    raise SystemExit(main())
