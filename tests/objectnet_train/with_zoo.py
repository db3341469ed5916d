"""What networks of timm's and torchvision's do, as JSON; a process of its own, since it may need the shim.

python -m tests.objectnet_train.with_zoo FOLDER PHOTOS WEIGHTS_OF_LITE0
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import torch

from containers.kit.errors import UserError
from containers.kit.files import sha256, write_json
from containers.kit.weights import read
from containers.objectnet import networks, zoo
from containers.objectnet.resnext import ResNeXt
from containers.objectnet.settings import Transform
from tests import tvshim
from tests.objectnet_train.conftest import CANDIDATES, MIDDLE, Place
from workflow.scripts.objectnet import artifact, choose, compare, validation

TIMM = "timm:tf_efficientnet_lite0"
RESIZED = ("tf_efficientnet_lite2", "tf_efficientnet_lite3", "resnet50", "coat_lite_medium_384")


def lite0(place: Place, given: Path) -> dict[str, Any]:
    """The same weights in timm's network and in the package's own."""
    tensors, timms = read(given, "test"), networks.network(TIMM, {})
    own = timms.state_dict()
    shapes = [a.shape == b.shape for a, b in zip(own.values(), tensors.values(), strict=True)]
    converted = place.folder / "timm.pt"
    torch.save(dict(zip(own, tensors.values(), strict=True)), converted)
    networks.load(timms, converted)
    packages = networks.network("EfficientNetLite0", {})
    networks.load(packages, given)
    size = CANDIDATES["lite0"]["transform"]
    pictures = torch.from_numpy(
        validation.read(place.photos).pictures(Transform(**{**size, "mean": (0.5,) * 3, "std": (0.5,) * 3}), 20)
    )
    with torch.inference_mode():
        a, b = timms.eval()(pictures), packages.eval()(pictures)
    write_json(
        place.record("timm"), {"schema": 1, "candidate": "timm", "file": str(converted), "sha256": sha256(converted)}
    )
    return {
        "tensors": len(shapes),
        "fit": all(shapes),
        "difference": float((a - b).abs().max()),
        "firsts": a.argmax(1).tolist() == b.argmax(1).tolist(),
    }


def through_the_commands(place: Place) -> dict[str, Any]:
    """Compared, chosen and exported with the transform that timm knows."""
    settings = {"model": TIMM, "weights": "timm.pt"}
    output = place.compared("timm")
    chosen = ["--candidate", str(output), "--predict={}", f"--output={place.folder / 'chosen.json'}"]
    statuses = [
        compare.main(place.compare("timm", settings, output)),
        choose.main(chosen),
        artifact.main(place.export(place.folder / "artifact", "--runtime=onnx")),
    ]
    compared = json.loads(output.read_text())
    described = json.loads((place.folder / "artifact" / "model.json").read_text())
    return {
        "statuses": statuses,
        "compared": {name: compared[name] for name in ("top1", "top5", "nll", "transform")},
        "model": described["model"],
        "transform": described["transform"],
        "files": sorted(described["checksums"]),
    }


def resnext() -> dict[str, Any]:
    """Our ResNeXt, torchvision's and timm's are one network."""
    theirs = networks.network("resnext50_32x4d", {}).eval()
    ours = ResNeXt((3, 4, 6, 3), 32, 4).eval()
    ours.load_state_dict(theirs.state_dict())
    pictures = torch.randn((2, 3, 64, 64), generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        difference = float((ours(pictures) - theirs(pictures)).abs().max())
    with torch.device("meta"):
        wsl = networks.network("resnext101_32x48d_wsl", {})
        timms = networks.network("timm:resnext101_32x32d", {"base_width": 48})
    shapes = [{name: list(value.shape) for name, value in network.state_dict().items()} for network in (wsl, timms)]
    return {"difference": difference, "like_timms": shapes[0] == shapes[1]}


def refused() -> dict[str, str]:
    words = {}
    for model, arguments in (
        ("timm:tf_efficientnet_lite00", {}),
        ("timm:resnet18.mine", {}),
        ("resnet81", {}),
        ("EfficientNetLight0", {}),
        ("timm:resnet18", {"width": 3}),
    ):
        try:
            networks.network(model, arguments)
        except UserError as error:
            words[model] = str(error)
    return words


def transforms() -> dict[str, Any]:
    import timm

    assert MIDDLE["interpolation"] == "bicubic"
    sides = {}
    for name in timm.list_models():
        known, found = timm.get_pretrained_cfg(name), zoo.transform_of_timm(f"timm:{name}", {})
        share = timm.data.config.resolve_data_config({}, pretrained_cfg=known.to_dict() if known else {})["crop_pct"]
        sides[name] = [round(found.size / found.crop), int(found.size / share)]
    return {
        "networks": len(sides),
        "other_sides": [name for name, (ours, timms) in sides.items() if ours != timms],
        "some": {name: dataclasses.asdict(zoo.transform_of_timm(f"timm:{name}", {})) for name in RESIZED},
        "larger": zoo.transform_of_timm("timm:vit_tiny_patch16_224", {"img_size": 320}).size,
    }


def main(folder: Path, photos: Path, given: Path) -> None:
    tvshim.install()
    torch.manual_seed(5)
    place = Place(folder)
    place.photos.write_bytes(photos.read_bytes())
    found = {
        "lite0": lite0(place, given),
        "commands": through_the_commands(place),
        "resnext": resnext(),
        "refused": refused(),
        "transforms": transforms(),
        "torchvision": type(networks.network("resnet18", {"num_classes": 313})).__name__,
    }
    write_json(folder / "found.json", found)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
