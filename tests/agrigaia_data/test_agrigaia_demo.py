"""The demo: its form, that every box and outline holds a plant, that a network can learn it, and colours cannot."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from sklearn.ensemble import RandomForestClassifier
from torch import Tensor, nn

from containers.agrigaia.common.cvat_xml import Picture, area, bounds, corners, read
from containers.agrigaia.common.pictures import match
from tests.agrigaia_data.conftest import PICTURES, Fetched, error, fetch
from workflow.scripts.agrigaia.demo_pictures import WEEDS
from workflow.scripts.agrigaia.field import crop_of, grow
from workflow.scripts.agrigaia.plants import CROPS, SPECIES

LEARNT = 100  # pictures


def digests(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "demo.json"]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_every_picture_has_the_form_of_the_platforms(fetched: Fetched) -> None:
    paths = sorted(fetched.root.glob("*.*"))  # as the platform lists them
    assert [path.name for path in paths] == [f"field_{number:04}.jpg" for number in range(PICTURES)]
    for path in paths:
        with Image.open(path) as picture:
            assert (picture.format, picture.size, picture.mode) == ("JPEG", (320, 240), "RGB")
            assert np.asarray(picture).std() > 5
    assert fetched.root.parts[-3:] == ("minio", "datasets", "1")
    assert sorted(path.name for path in fetched.root.iterdir() if path.is_dir()) == ["annotations"]


def known(fetched: Fetched) -> dict[str, Picture]:
    content = read(fetched.root / "annotations" / "annotations.xml")
    assert content.labels == ("beet", "chamomile", "clean", "maize", "thistle", "weedy")
    assert content.complaints == ()
    found, complaints = match([one.name for one in content.pictures], [path.name for path in fetched.root.glob("*.*")])
    assert complaints == []
    return {found[one.name]: one for one in content.pictures}


def test_cvat_knows_most_pictures_by_names_with_folders(fetched: Fetched) -> None:
    pictures = known(fetched)
    assert sorted(set(range(PICTURES)) - {int(one.id) for one in pictures.values()}) == [23]
    assert [int(one.id) for one in pictures.values() if not one.shapes] == [19]
    for file, one in pictures.items():
        folders = one.name.split("/")
        assert (folders[0] in CROPS, folders[1], folders[2]) == (True, "day_1", file)
        boxes, polygons, tags = one.of("box"), one.of("polygon"), one.of("tag")
        assert len(polygons) in (0, len(boxes))
        assert (len(polygons) > 0) == (int(one.id) % 5 == 0 and bool(boxes))
        weeds = sum(shape.label not in CROPS for shape in boxes)
        assert [tag.label for tag in tags] == (
            ["weedy" if weeds >= 3 else "clean"] if one.shapes and int(one.id) % 3 else []
        )
    labels = [shape.label for one in pictures.values() for shape in one.of("box")]
    assert {label: labels.count(label) >= 20 for label in set(labels)} == dict.fromkeys(SPECIES, True)


def test_every_box_is_full_of_its_plant_and_outlines_fill_their_boxes(fetched: Fetched) -> None:
    for file, one in known(fetched).items():
        with Image.open(fetched.root / file) as picture:
            pixels = np.asarray(picture, np.float64)
        green = 2 * pixels[..., 1] - pixels[..., 0] - pixels[..., 2]  # more than in any soil
        soil = np.median(green)
        for shape in one.of("box"):
            left, top, right, bottom = (int(value) for value in bounds(shape.points))
            inside = green[top:bottom, left:right] > soil + 18
            assert inside.mean() > 0.12
            for edge in (inside[:3], inside[-3:], inside[:, :3], inside[:, -3:]):
                assert edge.any()
        for box, outline in zip(one.of("box"), one.of("polygon"), strict=False):
            assert outline.label == box.label
            assert np.abs(np.subtract(bounds(outline.points), bounds(box.points))).max() <= 6
            assert 0.2 < area(outline.points) / area(corners(box.points)) < 0.95


def test_a_seed_decides_every_byte_and_more_pictures_are_the_same_and_others(fetched: Fetched, tmp_path: Path) -> None:
    for name, demo in (
        ("same", {"pictures": PICTURES}),
        ("more", {"pictures": 12}),
        ("other", {"pictures": 12, "seed": 7}),
    ):
        assert fetch(tmp_path / name, "demo", workers=2 if name == "same" else 1, **demo) == 0
    same, fewer, other = (Fetched(tmp_path / name) for name in ("same", "more", "other"))
    assert digests(same.root) == digests(fetched.root)
    assert same.content["fingerprint"] == fetched.content["fingerprint"] != other.content["fingerprint"]
    pictures = {name: value for name, value in digests(fewer.root).items() if name.endswith(".jpg")}
    assert len(pictures) == 12
    assert pictures.items() < digests(fetched.root).items()
    assert not set(digests(other.root).values()) & set(digests(fetched.root).values())


def test_what_is_whole_is_not_made_again_and_what_is_not_is(tmp_path: Path) -> None:
    assert fetch(tmp_path, "demo", pictures=10) == 0
    root = Fetched(tmp_path).root
    first, before = root / "field_0000.jpg", digests(root)
    made = first.stat().st_mtime_ns
    assert fetch(tmp_path, "demo", pictures=10) == 0
    assert first.stat().st_mtime_ns == made
    first.unlink()
    assert fetch(tmp_path, "demo", pictures=10) == 0
    assert digests(root) == before


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"pictures": 9}, "demo.pictures must be at least 10"),
        ({"seed": -1}, "demo.seed must be at least 0"),
        ({"picture": 12}, "demo.picture is not a setting; did you mean 'pictures'?"),
    ],
)
def test_settings_that_cannot_be_are_refused(
    settings: dict[str, Any], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert error(capsys, fetch(tmp_path, "demo", **settings)) == said
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def plants() -> tuple[NDArray[np.float32], NDArray[np.int64], int]:
    """All plants of the demo's first pictures cut out at one size, their species, and how many to learn from."""
    pictures, species, first = [], [], 0
    for index in range(LEARNT):
        field = grow(np.random.default_rng([2021, index]), crop_of(index), WEEDS[index % len(WEEDS)])
        whole = Image.fromarray(field.pixels)
        for plant in field.plants:
            cut = whole.crop(plant.box).resize((48, 48), Image.Resampling.BILINEAR)
            pictures.append(np.asarray(cut, np.float32) / 255)
            species.append(SPECIES.index(plant.species))
        if index < 0.8 * LEARNT:
            first = len(species)
    return np.stack(pictures), np.array(species), first


def test_colours_do_not_tell_the_species(plants: tuple[NDArray[np.float32], NDArray[np.int64], int]) -> None:
    pictures, species, first = plants
    means = np.concatenate([pictures.mean(axis=(1, 2)), pictures.std(axis=(1, 2))], axis=1)
    forest = RandomForestClassifier(200, random_state=0).fit(means[:first], species[:first])
    assert forest.score(means[first:], species[first:]) < 0.6
    assert min(np.bincount(species)) > 0.1 * len(species)


def test_a_small_network_tells_the_species(plants: tuple[NDArray[np.float32], NDArray[np.int64], int]) -> None:
    torch.manual_seed(0)
    pictures = torch.from_numpy(plants[0]).permute(0, 3, 1, 2)
    species, first = torch.from_numpy(plants[1]), plants[2]
    network = nn.Sequential(
        *_block(3, 16),
        *_block(16, 32),
        *_block(32, 48),
        *_block(48, 64),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(64, 4),
    )
    epochs, size = 12, 32
    optimizer = torch.optim.AdamW(network.parameters(), 3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 6e-3, total_steps=epochs * -(-first // size))
    for _ in range(epochs):
        for batch in torch.randperm(first).split(size):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(_flipped(pictures[batch])), species[batch]).backward()
            optimizer.step()
            schedule.step()
    network.eval()
    with torch.inference_mode():
        right = network(pictures[first:]).argmax(1) == species[first:]
    assert right.float().mean() >= 0.9


def _block(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)]


def _flipped(pictures: Tensor) -> Tensor:
    axes = [axis for axis in (2, 3) if torch.rand(()) < 0.5]
    return pictures.flip(axes)
